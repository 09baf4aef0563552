#include "networks.h"

namespace plans {

const std::vector<Dense>& dense_layers() {
  static const std::vector<Dense> layers = {
      // Document 003: MNIST, batches of 250.
      {"mnist-elu", 250, 1600, 256, "elu", "linear", Share::kInTurn},
      {"mnist-elu", 250, 1600, 256, "relu", "linear", Share::kFull},
      {"mnist-elu", 250, 1600, 256, "leakyRelu", "linear", Share::kFull},
      {"mnist-elu", 250, 256, 10, "linear", "elu", Share::kInTurn},
      {"mnist-elu", 250, 256, 10, "linear", "relu", Share::kFull},
      // Document 000: sentences of SNLI, batches of 512.
      {"snli-bow", 512, 300, 300, "selu", "", Share::kInTurn},
      {"snli-bow", 512, 300, 300, "relu", "", Share::kFull},
      {"snli-bow", 512, 600, 600, "selu", "selu", Share::kAlways},
      {"snli-bow", 512, 600, 600, "relu", "relu", Share::kFull},
      {"snli-bow", 512, 600, 3, "linear", "selu", Share::kInTurn},
      {"snli-bow", 512, 600, 3, "linear", "relu", Share::kFull},
      // Document 002: the dense layers behind twelve convolutions.
      {"deep-cnn", 64, 512, 256, "selu", "selu", Share::kInTurn},
      {"deep-cnn", 64, 256, 256, "relu", "relu", Share::kFull},
      {"deep-cnn", 64, 256, 100, "linear", "selu", Share::kFull},
      {"deep-cnn", 64, 256, 365, "linear", "selu", Share::kFull},
      // Document 001: SELU against batch normalisation.
      {"selu-vs-batchnorm", 128, 784, 256, "selu", "", Share::kFull},
      {"selu-vs-batchnorm", 128, 3072, 256, "selu", "", Share::kFull},
      {"selu-vs-batchnorm", 128, 256, 256, "selu", "selu", Share::kInTurn},
      {"selu-vs-batchnorm", 128, 256, 10, "linear", "selu", Share::kFull},
      // Nothing here is a multiple of 16 bytes.
      {"odd", 7, 13, 17, "selu", "selu", Share::kInTurn},
      {"odd", 1, 1, 10, "elu", "elu", Share::kFull},
      {"odd", 100, 50, 10, "softplus", "tanh", Share::kFull},
  };
  return layers;
}

const std::vector<Convolution>& convolutions() {
  static const std::vector<Convolution> layers = {
      {"mnist-elu", 250, 28, 28, 1, 32, 3, 1, 1, false, "elu", "", Share::kInTurn},
      {"mnist-elu", 250, 28, 28, 1, 32, 3, 1, 1, false, "relu", "", Share::kFull},
      {"mnist-elu", 250, 13, 13, 32, 64, 3, 1, 1, false, "elu", "linear", Share::kAlways},
      {"mnist-elu", 250, 13, 13, 32, 64, 3, 1, 1, false, "relu", "linear", Share::kFull},
      {"mnist-elu", 250, 13, 13, 32, 64, 3, 1, 1, false, "leakyRelu", "linear", Share::kFull},
      {"deep-cnn", 64, 16, 32, 1, 16, 3, 1, 1, true, "selu", "", Share::kFull},
      {"deep-cnn", 64, 16, 32, 16, 16, 3, 1, 1, true, "selu", "selu", Share::kInTurn},
      {"deep-cnn", 64, 8, 16, 16, 32, 3, 1, 1, true, "selu", "selu", Share::kFull},
      {"deep-cnn", 64, 8, 16, 32, 32, 3, 1, 1, true, "relu", "relu", Share::kFull},
      {"deep-cnn", 64, 4, 8, 32, 64, 3, 1, 1, true, "selu", "selu", Share::kFull},
      {"deep-cnn", 64, 4, 8, 64, 64, 3, 1, 1, true, "selu", "selu", Share::kInTurn},
      {"selu-vs-batchnorm", 128, 28, 28, 1, 16, 3, 1, 1, true, "selu", "", Share::kFull},
      {"selu-vs-batchnorm", 128, 32, 32, 3, 16, 3, 1, 1, true, "selu", "", Share::kInTurn},
      {"selu-vs-batchnorm", 128, 32, 32, 16, 16, 3, 1, 1, true, "selu", "selu", Share::kFull},
      {"selu-vs-batchnorm", 128, 16, 16, 16, 32, 3, 1, 1, true, "selu", "linear", Share::kFull},
      {"selu-vs-batchnorm", 128, 16, 16, 32, 32, 3, 1, 1, true, "selu", "selu", Share::kFull},
      {"strided", 32, 16, 16, 64, 64, 3, 2, 1, true, "selu", "selu", Share::kFull},
      {"dilated", 32, 16, 16, 64, 64, 3, 1, 2, true, "selu", "selu", Share::kInTurn},
      // No experiment's: groups of channels, one channel each, two filters for it.
      {"grouped", 32, 16, 16, 64, 64, 3, 1, 1, true, "selu", "selu", Share::kInTurn, 4},
      {"grouped", 32, 16, 16, 64, 128, 3, 1, 1, true, "selu", "selu", Share::kFull, 16},
      {"depthwise", 32, 16, 16, 64, 64, 3, 1, 1, true, "selu", "selu", Share::kInTurn, 64},
      {"depthwise", 32, 15, 15, 64, 64, 5, 2, 1, true, "selu", "selu", Share::kFull, 64},
      {"depthwise", 32, 16, 16, 64, 128, 3, 1, 1, true, "selu", "selu", Share::kFull, 64},
      // Channels of no multiple of 16 bytes.
      {"odd", 5, 9, 7, 30, 30, 3, 1, 1, true, "selu", "selu", Share::kInTurn},
      {"odd", 3, 8, 8, 5, 7, 5, 1, 1, false, "elu", "elu", Share::kFull},
  };
  return layers;
}

}  // namespace plans
