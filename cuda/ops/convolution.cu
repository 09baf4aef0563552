// Convolutions of NHWC images: from shapes to one problem a library takes, or to the plain kernels where it takes none.
//   "conv2d" (x, filter, bias?) -> (y, pre?)    "conv2d/backwardInput" (dy, filter, saved?) -> (dx, sums?)
//   "conv2d/backwardFilter" (x, dy) -> dfilter   and the same three of "depthwiseConv2d"
// Parameters: strides down and right, padding above and left, dilations down and right; forward: activation (row of the
// table, -1: none) and the activation's own; so backwardInput of the layer below: then dx is through its derivative, at
// what was saved, and sums are those of its channels, that layer's bias gradient.
#include "../kernels/convolution_plain.cuh"

#include <algorithm>

#include "converted.h"
#include "fused_activation.h"
#include "matmul_passes.h"
#include "runtime/convolution.h"

namespace selfnorm::SN_BUILD {
namespace {

constexpr size_t kGeometryParams = 6;

// What goes in and comes out, by role: forward (x, filter, bias) -> y, and so on.
struct Operands {
  View first, second, bias, output;
  View pre;  // the activation's argument, where a fused call is to store it
};

// Of conv2d the groups follow from the channels.
int64_t groups_of(const View& x, const View& filter, bool depthwise) {
  const int64_t channels = x.dim(3), inside = filter.dim(2);
  return std::max<int64_t>(1, depthwise || inside == 0 ? inside : channels / inside);
}

ConvolutionProblem describe(const View& x, const View& filter, const View& y, const Call& call, bool depthwise,
                            ConvolutionDirection direction) {
  ConvolutionProblem p;
  p.dtype = x.dtype;
  p.groups = groups_of(x, filter, depthwise);
  p.direction = direction;
  p.batch = x.dim(0);
  p.in_height = x.dim(1);
  p.in_width = x.dim(2);
  p.in_channels = x.dim(3);
  p.out_height = y.dim(1);
  p.out_width = y.dim(2);
  p.out_channels = y.dim(3);
  p.filter_height = filter.dim(0);
  p.filter_width = filter.dim(1);
  p.stride_height = call.integer(0);
  p.stride_width = call.integer(1);
  p.pad_top = call.integer(2);
  p.pad_left = call.integer(3);
  p.dilation_height = call.integer(4);
  p.dilation_width = call.integer(5);
  return p;
}

ConvolutionShape plain_shape(const ConvolutionProblem& p) {
  return {p.batch,        p.in_height,       p.in_width,       p.in_channels,    p.out_height,     p.out_width,
          p.out_channels, p.filter_height,   p.filter_width,   p.stride_height,  p.stride_width,   p.pad_top,
          p.pad_left,     p.dilation_height, p.dilation_width, p.group_inputs(), p.group_outputs()};
}

template <bool Grouped, class T>
void run_plain_forward(Queue& queue, const ConvolutionProblem& p, const Operands& o) {
  const int64_t count = p.batch * p.out_height * runs_of(p.out_width, kPixelRun) * runs_of(p.out_channels, kChannelRun);
  launch(queue, groups(count, p.flops() / std::max<int64_t>(count, 1), kChannelRun),
         convolution_forward_kernel<Grouped, T>, plain_shape(p), count, o.output.as<T>(), o.first.as<const T>(),
         o.second.as<const T>(), o.bias.as<const T>());
}

template <bool Grouped, class T>
void run_plain_backward_input(Queue& queue, const ConvolutionProblem& p, const Operands& o) {
  const int64_t count = p.batch * p.in_height * p.in_width * runs_of(p.in_channels, kChannelRun);
  launch(queue, groups(count, p.flops() / std::max<int64_t>(count, 1), kChannelRun),
         convolution_backward_input_kernel<Grouped, T>, plain_shape(p), count, o.output.as<T>(), o.first.as<const T>(),
         o.second.as<const T>());
}

template <bool Grouped, class T>
void run_plain_backward_filter(Queue& queue, const ConvolutionProblem& p, const Operands& o) {
  // Chunks depend on the problem alone, never on the number of threads; their slices stay small beside a large filter.
  constexpr int64_t kMostChunks = 32, kMostPartials = int64_t(1) << 20;
  const int64_t size = p.filter_size(), lines = p.batch * p.out_height;
  const int64_t chunks = std::max<int64_t>(1, std::min({kMostChunks, kMostPartials / size, lines}));
  const int64_t inputs = runs_of(p.group_inputs(), kInputRun);
  const int64_t count = chunks * p.filter_height * p.filter_width * inputs * runs_of(p.out_channels, kChannelRun);
  using A = Accumulate<T>;
  const Scratch partials(queue, size_t(chunks * size) * sizeof(A));
  launch(queue, groups(count, p.flops() / count, kChannelRun), convolution_backward_filter_kernel<Grouped, T>,
         plain_shape(p), chunks, count, partials.as<A>(), o.first.as<const T>(), o.second.as<const T>());
  launch(queue, elements(size, chunks), convolution_filter_sum_kernel<T>, size, chunks, o.output.as<T>(),
         static_cast<const A*>(partials.as<A>()));
}

template <bool Grouped>
void run_plain(Queue& queue, const ConvolutionProblem& p, const Operands& o) {
  dispatch_float(p.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    switch (p.direction) {
      case kForward: return run_plain_forward<Grouped, T>(queue, p, o);
      case kBackwardInput: return run_plain_backward_input<Grouped, T>(queue, p, o);
      default: return run_plain_backward_filter<Grouped, T>(queue, p, o);
    }
  });
}

// The filter as the library wants it: [height, width, in, out] for oneDNN, [out, height, width, in] for cuDNN.
View turned_filter(const View& filter) {
  View turned = filter;
  turned.dims[0] = filter.dims[3];
  for (int axis = 1; axis < 4; ++axis) turned.dims[axis] = filter.dims[axis - 1];
  return turned;
}

// `to` [columns, rows] = transposed `from` [rows, columns].
void turn(Queue& queue, const View& from, const View& to, int64_t rows, int64_t columns) {
  dispatch_size(from.dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    launch(queue, elements(rows * columns, 1), transpose_matrix_kernel<T>, rows, columns, to.as<T>(),
           from.as<const T>());
  });
}

// The library's call with the filter in its layout; false where it has no plan for the problem.
bool run_library(Queue& queue, const ConvolutionProblem& p, const Operands& o) {
  if constexpr (!kLibraryFilterOutFirst) {
    return library_convolution(queue, p, o.first.data, o.second.data, o.bias.data, o.output.data, o.pre.data);
  } else {
    const View& filter = p.direction == kBackwardFilter ? o.output : o.second;
    const Scratch scratch(queue, size_t(filter.size() * size_of(filter.dtype)));
    View turned = turned_filter(filter);
    turned.data = scratch.as<void>();
    const int64_t inner = filter.size() / p.out_channels;
    if (p.direction == kBackwardFilter) {
      if (!library_convolution(queue, p, o.first.data, o.second.data, o.bias.data, turned.data, nullptr)) return false;
      turn(queue, turned, filter, p.out_channels, inner);
      return true;
    }
    turn(queue, filter, turned, inner, p.out_channels);
    return library_convolution(queue, p, o.first.data, turned.data, o.bias.data, o.output.data, o.pre.data);
  }
}

// What is left to do for a forward convolution after its product. Where the activation is left, so is `pre`.
struct Remaining {
  bool bias, activation;
};

// The library's part, in `dtype`; nothing where it has no plan for the problem.
bool run_library_in(Queue& queue, DType dtype, ConvolutionProblem p, const Operands& o) {
  if (dtype == p.dtype) return run_library(queue, p, o);
  const Converted first(queue, o.first, dtype), second(queue, o.second, dtype), bias(queue, o.bias, dtype);
  const Converted output(queue, o.output, dtype);
  convert(queue, o.first, first.view());
  convert(queue, o.second, second.view());
  if (o.bias.present()) convert(queue, o.bias, bias.view());
  p.dtype = dtype;
  if (!run_library(queue, p,
                   {first.view(), second.view(), o.bias.present() ? bias.view() : View{}, output.view(), {}})) {
    return false;
  }
  convert(queue, output.view(), o.output);
  return true;
}

// The library's call with bias and `activation` (-1: none) in it; false where it has none that does all of that.
bool run_fused(Queue& queue, DType dtype, ConvolutionProblem p, const Operands& o, int activation,
               std::span<const double> parameters) {
  constexpr int kLinear = 0;  // the first row of the table
  if (activation < 0 && (!o.bias.present() || kLibraryAddsBias)) return false;
  p.keeps_pre = o.pre.present();
  const int row = std::max(activation, kLinear);
  if (!library_convolution_fuses(queue, p, op_table().activations[size_t(row)], parameters)) return false;
  p.activation = row;
  std::copy(parameters.begin(), parameters.end(), p.parameters);
  return run_library_in(queue, dtype, p, o);
}

// Runs the problem, with bias and `activation` (-1: none) where the library or the plain kernel takes them.
Remaining convolve(Queue& queue, const ConvolutionProblem& p, const Operands& o, int activation = -1,
                   std::span<const double> parameters = {}) {
  // What the activation would overwrite is to be kept.
  const Operands product{o.first, o.second, o.bias, o.pre.present() ? o.pre : o.output, {}};
  if (const std::optional<DType> dtype = p.flops() > 0 ? library_convolution_dtype(p) : std::nullopt) {
    if (run_fused(queue, *dtype, p, o, activation, parameters)) return {false, false};
    if (run_library_in(queue, *dtype, p, product)) return {o.bias.present() && !kLibraryAddsBias, activation >= 0};
  }
  p.groups > 1 ? run_plain<true>(queue, p, product) : run_plain<false>(queue, p, product);
  return {false, activation >= 0};
}

template <bool Depthwise>
void forward(const Call& call) {
  const View &x = call.inputs[0], &filter = call.inputs[1], &y = call.outputs[0];
  if (y.size() == 0) return;
  const View pre = call.outputs.size() > 1 ? call.outputs[1] : View{};
  const View bias = call.inputs.size() > 2 ? call.inputs[2] : View{};
  const int activation = call.params.size() > kGeometryParams ? int(call.integer(kGeometryParams)) : -1;
  const auto parameters = call.params.subspan(std::min(kGeometryParams + 1, call.params.size()));
  ConvolutionProblem p = describe(x, filter, y, call, Depthwise, kForward);
  p.has_bias = bias.present();
  const Remaining remaining = convolve(call.queue, p, {x, filter, bias, y, pre}, activation, parameters);
  const View& product = pre.present() ? pre : y;
  if (remaining.bias) {
    apply_bias_activation(call.queue, activation, parameters, product, bias, y, pre);
  } else if (remaining.activation) {
    apply_activation(call.queue, activation, parameters, product, y);
  }
}

// dx = (the convolution's gradient) activation'(saved) in the library's kernel; false where it has none that does that.
bool run_derivative(Queue& queue, ConvolutionProblem p, const Operands& o, const View& saved, int activation,
                    std::span<const double> parameters) {
  if (p.flops() == 0 || library_convolution_dtype(p) != p.dtype) return false;
  std::copy(parameters.begin(), parameters.end(), p.parameters);
  const ActivationFacts& facts = op_table().activations[size_t(activation)];
  if (!library_convolution_differentiates(queue, p, facts)) return false;
  const Scratch scratch(queue, size_t(o.second.size() * size_of(p.dtype)));
  View turned = turned_filter(o.second);
  turned.data = scratch.as<void>();
  turn(queue, o.second, turned, o.second.size() / p.out_channels, p.out_channels);
  return library_convolution_derivative(queue, p, facts, o.first.data, turned.data, saved.data, o.output.data, nullptr);
}

template <bool Depthwise>
void backward_input(const Call& call) {
  const View &dy = call.inputs[0], &filter = call.inputs[1], &dx = call.outputs[0];
  if (dx.size() == 0) return;
  const ConvolutionProblem p = describe(dx, filter, dy, call, Depthwise, kBackwardInput);
  const Operands operands{dy, filter, {}, dx, {}};
  const int activation = call.params.size() > kGeometryParams ? int(call.integer(kGeometryParams)) : -1;
  const auto parameters = call.params.subspan(std::min(kGeometryParams + 1, call.params.size()));
  const View sums = call.outputs.size() > 1 ? call.outputs[1] : View{};
  if (activation > 0 && !run_derivative(call.queue, p, operands, call.inputs[2], activation, parameters)) {
    convolve(call.queue, p, operands);
    return apply_derivative(call.queue, activation, parameters, dx, call.inputs[2], dx, sums);
  }
  if (activation <= 0) convolve(call.queue, p, operands);
  if (sums.present()) add_up_columns(call.queue, dx, sums);
}

template <bool Depthwise>
void backward_filter(const Call& call) {
  const View &x = call.inputs[0], &dy = call.inputs[1], &filter = call.outputs[0];
  if (filter.size() == 0) return;
  convolve(call.queue, describe(x, filter, dy, call, Depthwise, kBackwardFilter), {x, dy, {}, filter, {}});
}

}  // namespace

void add_convolution_ops(OpTable& table) {
  table.add({
      {"conv2d", forward<false>},
      {"conv2d/backwardInput", backward_input<false>},
      {"conv2d/backwardFilter", backward_filter<false>},
      {"depthwiseConv2d", forward<true>},
      {"depthwiseConv2d/backwardInput", backward_input<true>},
      {"depthwiseConv2d/backwardFilter", backward_filter<true>},
  });
}

}  // namespace selfnorm::SN_BUILD
