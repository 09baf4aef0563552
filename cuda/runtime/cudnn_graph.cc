#include "cudnn_graph.h"

#include <cstdio>
#include <utility>

namespace selfnorm::cudnn {
namespace {

using Kind = GraphNode::Kind;

constexpr const char* kDtypeNames[] = {"float32", "float16", "bfloat16", "float64", "int32", "uint8", "bool"};
constexpr const char* kModeNames[] = {
    "add",      "multiply",    "subtract", "divide",       "minimum",          "greater",     "greaterEqual",
    "absolute", "exponential", "relu",     "elu",          "softplus",         "sigmoid",     "tanh",
    "gelu",     "geluTanh",    "silu",     "geluBackward", "geluTanhBackward", "siluBackward"};
constexpr const char* kKindNames[] = {"matmul", "convolution", "backwardInput", "backwardFilter", "pointwise", "sum"};

void write(std::string& text, const std::vector<int64_t>& numbers) {
  text += '[';
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) text += ',';
    text += std::to_string(numbers[i]);
  }
  text += ']';
}

// Every bit of the number, in one way only.
std::string exactly(double number) {
  char text[40];
  std::snprintf(text, sizeof(text), "%.17g", number);
  return text;
}

}  // namespace

TensorId Graph::add(GraphTensor tensor) {
  tensors_.push_back(std::move(tensor));
  return TensorId(tensors_.size()) - 1;
}

TensorId Graph::memory(DType dtype, std::vector<int64_t> sizes, std::vector<int64_t> strides, int64_t alignment) {
  return add({dtype, std::move(sizes), std::move(strides), alignment, true, false, 0});
}

TensorId Graph::scalar(float value, size_t axes) {
  return add({DType::kFloat32, std::vector<int64_t>(axes, 1), std::vector<int64_t>(axes, 1), 4, true, true, value});
}

TensorId Graph::result(GraphNode node, const GraphTensor& like) {
  constexpr int64_t kAlignment = 16;
  GraphTensor tensor{DType::kFloat32, like.sizes, like.strides, kAlignment, false, false, 0};
  node.output = add(std::move(tensor));
  nodes_.push_back(std::move(node));
  return nodes_.back().output;
}

TensorId Graph::matmul(TensorId a, TensorId b) {
  const GraphTensor &left = (*this)[a], &right = (*this)[b];
  const int64_t batch = left.sizes[0] > right.sizes[0] ? left.sizes[0] : right.sizes[0];
  const int64_t m = left.sizes[1], n = right.sizes[2];
  GraphTensor like{};
  like.sizes = {batch, m, n};
  like.strides = {m * n, n, 1};
  return result({Kind::kMatmul, {a, b}, 0}, like);
}

TensorId Graph::convolution(TensorId x, TensorId filter, const GraphTensor& like, const Windows& windows) {
  GraphNode node{Kind::kConvolution, {x, filter}, 0};
  node.windows = windows;
  return result(std::move(node), like);
}

TensorId Graph::convolution_backward_input(TensorId dy, TensorId filter, const GraphTensor& like,
                                           const Windows& windows) {
  GraphNode node{Kind::kConvolutionBackwardInput, {dy, filter}, 0};
  node.windows = windows;
  return result(std::move(node), like);
}

TensorId Graph::convolution_backward_filter(TensorId x, TensorId dy, const GraphTensor& like, const Windows& windows) {
  GraphNode node{Kind::kConvolutionBackwardFilter, {x, dy}, 0};
  node.windows = windows;
  return result(std::move(node), like);
}

TensorId Graph::unary(Mode mode, TensorId x, double attribute, double upper_clip) {
  GraphNode node{Kind::kPointwise, {x}, 0, mode, attribute, upper_clip};
  const GraphTensor like = (*this)[x];
  return result(std::move(node), like);
}

TensorId Graph::binary(Mode mode, TensorId x, TensorId b) {
  GraphNode node{Kind::kPointwise, {x, b}, 0, mode};
  const GraphTensor like = (*this)[x];
  return result(std::move(node), like);
}

void Graph::into(TensorId from, TensorId to) {
  for (GraphNode& node : nodes_) {
    if (node.output == from) node.output = to;
    for (TensorId& input : node.inputs) {
      if (input == from) input = to;
    }
  }
}

void Graph::add_sums(TensorId x, TensorId sums) { nodes_.push_back({Kind::kSum, {x}, sums}); }

bool Graph::adds_atomically() const {
  for (const GraphNode& node : nodes_) {
    if (node.kind == Kind::kSum) return true;
  }
  return false;
}

std::string Graph::text() const {
  std::string text;
  for (size_t id = 0; id < tensors_.size(); ++id) {
    const GraphTensor& tensor = tensors_[id];
    // A register whose result went to memory is named by no node any more.
    text += "t" + std::to_string(id) +
            (tensor.is_scalar   ? " scalar "
             : tensor.in_memory ? " memory "
                                : " register ") +
            kDtypeNames[int(tensor.dtype)] + ' ';
    write(text, tensor.sizes);
    write(text, tensor.strides);
    text += " align " + std::to_string(tensor.alignment) + '\n';
  }
  for (const GraphNode& node : nodes_) {
    text += kKindNames[int(node.kind)];
    if (node.kind == Kind::kPointwise) {
      text += std::string(" ") + kModeNames[int(node.mode)] + ' ' + exactly(node.attribute) + ' ' +
              exactly(node.upper_clip);
    } else if (node.kind != Kind::kMatmul && node.kind != Kind::kSum) {
      const Windows& w = node.windows;
      write(text, {w.stride_height, w.stride_width, w.pad_top, w.pad_left, w.pad_bottom, w.pad_right, w.dilation_height,
                   w.dilation_width});
    }
    text += ' ';
    write(text, node.inputs);
    text += " -> t" + std::to_string(node.output) + '\n';
  }
  return text;
}

}  // namespace selfnorm::cudnn
