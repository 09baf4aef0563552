// The layers of the experiments' networks, as products and convolutions with their sizes; what check_plans.cc plans.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace plans {

// In which runs a layer is planned: in all of them, in every dtype and for every device; in all of them in one dtype,
// in turn; or in full ones alone.
enum class Share { kAlways, kInTurn, kFull };

struct Dense {
  std::string network;
  int64_t rows, inputs, units;
  std::string activation;  // of this layer
  std::string below;       // of the layer below, "" for the first layer: no gradient goes further down
  Share share;
};

struct Convolution {
  std::string network;
  int64_t images, height, width, channels, filters;
  int64_t size, stride, dilation;
  bool same;  // padding
  std::string activation, below;
  Share share;
  int64_t groups = 1;
};

const std::vector<Dense>& dense_layers();
const std::vector<Convolution>& convolutions();

}  // namespace plans
