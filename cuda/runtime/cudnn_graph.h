// A graph of operations as data: what cuDNN is to fuse into one kernel. No header of cuDNN is needed here, so graphs
// can be named, compared and worked out by tests on a machine without it; cudnn_plan.h makes plans of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "../kernels/storage.h"

namespace selfnorm::cudnn {

enum class Mode {
  kAdd,
  kMultiply,
  kSubtract,
  kDivide,
  kMinimum,
  kGreater,  // 1 where x > b, else 0
  kGreaterEqual,
  kAbsolute,
  kExponential,
  kRelu,      // attributes: upper clip, slope below 0
  kElu,       // attribute: alpha
  kSoftplus,  // attribute: beta
  kSigmoid,
  kTanh,
  kGelu,
  kGeluTanh,
  kSilu,
  // dx from (x, dy)
  kGeluBackward,
  kGeluTanhBackward,
  kSiluBackward,
};

// A tensor's number in its graph, which is its name when the plan runs.
using TensorId = int64_t;

struct GraphTensor {
  DType dtype;
  std::vector<int64_t> sizes, strides;  // in elements
  int64_t alignment;                    // bytes that its address is a multiple of
  bool in_memory;                       // false: it lives in the kernel's registers
  bool is_scalar;                       // given by value when the plan runs, not by address
  float value;                          // of a scalar; plans do not depend on it
};

struct Windows {
  int64_t stride_height, stride_width;
  int64_t pad_top, pad_left, pad_bottom, pad_right;
  int64_t dilation_height, dilation_width;
};

struct GraphNode {
  enum class Kind { kMatmul, kConvolution, kConvolutionBackwardInput, kConvolutionBackwardFilter, kPointwise, kSum };
  Kind kind;
  std::vector<TensorId> inputs;
  TensorId output;
  Mode mode = Mode::kAdd;                 // pointwise
  double attribute = 0, upper_clip = -1;  // pointwise; negative: no clip
  Windows windows{};                      // convolutions
};

class Graph {
 public:
  TensorId memory(DType dtype, std::vector<int64_t> sizes, std::vector<int64_t> strides, int64_t alignment);
  // A float32 number given when the plan runs, of as many axes as the tensors it meets.
  TensorId scalar(float value, size_t axes);

  // Each gives a float32 tensor in registers; into() is how a result gets to memory.
  TensorId matmul(TensorId a, TensorId b);
  // (x, filter) -> y; y's sizes and layout as those of `like`.
  TensorId convolution(TensorId x, TensorId filter, const GraphTensor& like, const Windows& windows);
  TensorId convolution_backward_input(TensorId dy, TensorId filter, const GraphTensor& like, const Windows& windows);
  TensorId convolution_backward_filter(TensorId x, TensorId dy, const GraphTensor& like, const Windows& windows);
  TensorId unary(Mode mode, TensorId x, double attribute = 0, double upper_clip = -1);
  TensorId binary(Mode mode, TensorId x, TensorId b);
  TensorId with_number(Mode mode, TensorId x, double b) { return binary(mode, x, scalar(float(b), axes(x))); }

  // The result `from` goes to memory as `to`: it is computed into `to`, whose dtype it takes. Where other nodes read
  // it, they read what was stored.
  void into(TensorId from, TensorId to);
  // sums (float32, zeroed by the caller) += x over the axes where sums has size 1, by atomic additions.
  void add_sums(TensorId x, TensorId sums);

  const GraphTensor& operator[](TensorId id) const { return tensors_[size_t(id)]; }
  const std::vector<GraphTensor>& tensors() const { return tensors_; }
  const std::vector<GraphNode>& nodes() const { return nodes_; }
  // Whether two runs may differ in their last bits.
  bool adds_atomically() const;
  // The graph in words, all that a plan depends on: two graphs with one text have the same plans.
  std::string text() const;

 private:
  size_t axes(TensorId id) const { return tensors_[size_t(id)].sizes.size(); }
  TensorId add(GraphTensor tensor);
  TensorId result(GraphNode node, const GraphTensor& like);

  std::vector<GraphTensor> tensors_;
  std::vector<GraphNode> nodes_;
};

}  // namespace selfnorm::cudnn
