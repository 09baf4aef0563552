#include "cudnn_graphs.h"

#include <string_view>

#include "cudnn_activation.h"

namespace selfnorm::cudnn {
namespace {

bool is_empty(const Epilogue& e) {
  return !e.bias && e.activation == nullptr && e.derivative == nullptr && !e.keeps_pre && !e.sums;
}

// Bias, activation or derivative, and sums behind `product`, ending in fused.output. `vector` makes a tensor of one
// number a column or channel. False where cuDNN has no form of an activation.
template <class MakeOutput, class MakeVector>
bool add_epilogue(FusedGraph& fused, const Epilogue& e, DType dtype, TensorId product, MakeOutput make_output,
                  MakeVector make_vector) {
  Graph& graph = fused.graph;
  TensorId value = product;
  if (e.bias) {
    fused.bias = make_vector(dtype);
    value = graph.binary(Mode::kAdd, value, fused.bias);
  }
  if (e.keeps_pre) {
    // Of the identity, both would be one tensor.
    if (e.activation == nullptr || std::string_view(e.activation->name) == "linear") return false;
    fused.pre = make_output();
    graph.into(value, fused.pre);
    value = fused.pre;
  }
  if (e.activation != nullptr) {
    const std::optional<TensorId> active = add_activation(graph, *e.activation, e.parameters, value);
    if (!active) return false;
    value = *active;
  }
  if (e.derivative != nullptr) {
    fused.saved = make_output();
    const std::optional<TensorId> gradient = add_derivative(graph, *e.derivative, e.parameters, value, fused.saved);
    if (!gradient) return false;
    value = *gradient;
  }
  fused.output = make_output();
  graph.into(value, fused.output);
  if (e.sums) {
    fused.sums = make_vector(DType::kFloat32);
    graph.add_sums(fused.output, fused.sums);
  }
  return true;
}

bool has_tensor_cores(DType dtype, bool tensor_float32) {
  return dtype == DType::kFloat16 || dtype == DType::kBfloat16 || (dtype == DType::kFloat32 && tensor_float32);
}

}  // namespace

std::optional<FusedGraph> matmul_graph(const MatmulProblem& p, const Epilogue& epilogue, int64_t alignment) {
  if (!has_tensor_cores(p.dtype, p.tensor_float32 != 0)) return std::nullopt;
  FusedGraph fused;
  Graph& graph = fused.graph;
  // A stride of 0 is one matrix for all.
  const auto operand = [&](int64_t rows, int64_t columns, int64_t stride, bool transposed) {
    const bool one = p.batch == 1 || stride == 0;
    return graph.memory(p.dtype, {one ? 1 : p.batch, rows, columns},
                        {one ? rows * columns : stride, transposed ? 1 : columns, transposed ? rows : 1}, alignment);
  };
  fused.first = operand(p.m, p.k, p.stride_a, p.transpose_a != 0);
  fused.second = operand(p.k, p.n, p.stride_b, p.transpose_b != 0);
  const TensorId product = graph.matmul(fused.first, fused.second);
  const bool done = add_epilogue(
      fused, epilogue, p.dtype, product,
      [&] {
        return graph.memory(p.dtype, {p.batch, p.m, p.n}, {p.m * p.n, p.n, 1}, alignment);
      },
      [&](DType dtype) {
        return graph.memory(dtype, {1, 1, p.n}, {p.n, p.n, 1}, alignment);
      });
  return done ? std::optional(std::move(fused)) : std::nullopt;
}

std::optional<FusedGraph> convolution_graph(const ConvolutionProblem& p, const Epilogue& epilogue, int64_t alignment) {
  if (int(p.dtype) > int(DType::kBfloat16)) return std::nullopt;
  if (!is_empty(epilogue) && !has_tensor_cores(p.dtype, p.tensor_float32 != 0)) return std::nullopt;
  FusedGraph fused;
  Graph& graph = fused.graph;
  // The groups follow from the channels of x and of the filter. cuDNN names the axes image, channel, row, column,
  // whatever their order in memory.
  const auto image = [&](int64_t batch, int64_t height, int64_t width, int64_t channels) {
    return graph.memory(p.dtype, {batch, channels, height, width},
                        {height * width * channels, 1, width * channels, channels}, alignment);
  };
  const auto make_x = [&] { return image(p.batch, p.in_height, p.in_width, p.in_channels); };
  const auto make_y = [&] { return image(p.batch, p.out_height, p.out_width, p.out_channels); };
  const auto make_filter = [&] { return image(p.out_channels, p.filter_height, p.filter_width, p.group_inputs()); };
  const auto make_output = [&] {
    return p.direction == kForward ? make_y() : p.direction == kBackwardInput ? make_x() : make_filter();
  };
  const Windows windows{p.stride_height, p.stride_width, p.pad_top,         p.pad_left,
                        p.pad_bottom(),  p.pad_right(),  p.dilation_height, p.dilation_width};
  fused.first = p.direction == kBackwardInput ? make_y() : make_x();
  fused.second = p.direction == kBackwardFilter ? make_y() : make_filter();
  // The result's sizes and layout; the tensor itself is made by the epilogue.
  const GraphTensor like = graph[make_output()];
  const TensorId product = p.direction == kForward ? graph.convolution(fused.first, fused.second, like, windows)
                           : p.direction == kBackwardInput
                               ? graph.convolution_backward_input(fused.first, fused.second, like, windows)
                               : graph.convolution_backward_filter(fused.first, fused.second, like, windows);
  const bool done = add_epilogue(fused, epilogue, p.dtype, product, make_output, [&](DType dtype) {
    const int64_t channels = like.sizes[1];
    return graph.memory(dtype, {1, channels, 1, 1}, {channels, 1, channels, channels}, alignment);
  });
  return done ? std::optional(std::move(fused)) : std::nullopt;
}

}  // namespace selfnorm::cudnn
