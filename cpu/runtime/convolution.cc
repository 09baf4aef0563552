#include "convolution.h"

#include <cstdlib>
#include <memory>

#ifdef SELFNORM_HAS_ONEDNN
#include "onednn.h"
#endif

namespace selfnorm {

#ifdef SELFNORM_HAS_ONEDNN
namespace {

using dnnl::memory;

// Below it the plain kernel takes less time than the call.
constexpr int64_t kWorthCalling = 1 << 16;

// The operand that is a filter moves between our layout and the one the primitive is fastest in.
struct Convolution {
  dnnl::primitive primitive;
  std::unordered_map<int, memory> arguments;
  int filter_argument = 0;
  memory our_filter;
  memory::desc fast_filter;
  bool reorders = false;
  dnnl::reorder reorder;
};

// Memory for a filter in the fast layout, one a thread: it is used from one call to the end of the next primitive only.
void* filter_buffer(size_t bytes) {
  struct Free {
    void operator()(void* block) const { std::free(block); }
  };
  thread_local std::unique_ptr<void, Free> buffer;
  thread_local size_t capacity = 0;
  if (bytes > capacity) {
    capacity = (bytes + 63) / 64 * 64;
    buffer.reset(std::aligned_alloc(64, capacity));
    if (!buffer) {
      capacity = 0;
      throw Error("ERR_OUT_OF_MEMORY",
                  "convolution: filter buffer: expected " + std::to_string(bytes) + " bytes, got none from the system");
    }
  }
  return buffer.get();
}

struct Descriptors {
  memory::desc x, y, bias, our_filter, any_filter;
  memory::dims strides, dilations, before, after;
};

Descriptors describe(const ConvolutionProblem& p) {
  const memory::data_type type = onednn::data_type(p.dtype);
  const int64_t h = p.filter_height, w = p.filter_width, i = p.group_inputs(), o = p.out_channels;
  Descriptors d;
  d.x = memory::desc({p.batch, p.in_channels, p.in_height, p.in_width}, type, memory::format_tag::nhwc);
  d.y = memory::desc({p.batch, o, p.out_height, p.out_width}, type, memory::format_tag::nhwc);
  d.bias = memory::desc({o}, type, memory::format_tag::a);
  if (p.groups > 1) {
    const int64_t outputs = p.group_outputs();
    const memory::dims dims{p.groups, outputs, i, h, w};
    d.our_filter = memory::desc(dims, type, memory::dims{outputs, 1, o, w * i * o, i * o});
    d.any_filter = memory::desc(dims, type, memory::format_tag::any);
  } else {
    d.our_filter = memory::desc({o, i, h, w}, type, memory::dims{1, o, w * i * o, i * o});
    d.any_filter = memory::desc({o, i, h, w}, type, memory::format_tag::any);
  }
  d.strides = {p.stride_height, p.stride_width};
  d.dilations = {p.dilation_height - 1, p.dilation_width - 1};
  d.before = {p.pad_top, p.pad_left};
  d.after = {p.pad_bottom(), p.pad_right()};
  return d;
}

constexpr dnnl::algorithm kDirect = dnnl::algorithm::convolution_direct;

dnnl::convolution_forward::primitive_desc forward_desc(const ConvolutionProblem& p, const Descriptors& d) {
  dnnl::primitive_attr attributes;
  if (p.activation >= 0) {
    dnnl::post_ops post_ops;
    onednn::append_activation(post_ops, Queue::ops().activations[size_t(p.activation)], p.parameters);
    attributes.set_post_ops(post_ops);
  }
  // A convolution keeps nothing for its gradients, so training's forward is inference's.
  constexpr auto kind = dnnl::prop_kind::forward_inference;
  using Forward = dnnl::convolution_forward;
  if (p.has_bias) {
    return onednn::describe<Forward>(attributes, kind, kDirect, d.x, d.any_filter, d.bias, d.y, d.strides, d.dilations,
                                     d.before, d.after);
  }
  return onednn::describe<Forward>(attributes, kind, kDirect, d.x, d.any_filter, d.y, d.strides, d.dilations, d.before,
                                   d.after);
}

Convolution prepare(const ConvolutionProblem& p) {
  const Descriptors d = describe(p);
  const dnnl::engine& engine = onednn::engine();
  Convolution c;
  const auto add = [&](int argument, const memory::desc& desc) {
    c.arguments.emplace(argument, memory(desc, engine, DNNL_MEMORY_NONE));
  };
  const dnnl::convolution_forward::primitive_desc hint = forward_desc(p, d);
  if (p.direction == kForward) {
    c.primitive = dnnl::convolution_forward(hint);
    c.filter_argument = DNNL_ARG_WEIGHTS;
    c.fast_filter = hint.weights_desc();
    add(DNNL_ARG_SRC, d.x);
    add(DNNL_ARG_DST, d.y);
    if (p.has_bias) add(DNNL_ARG_BIAS, d.bias);
  } else if (p.direction == kBackwardInput) {
    const auto desc = onednn::describe_gradient<dnnl::convolution_backward_data>(
        hint, kDirect, d.x, d.any_filter, d.y, d.strides, d.dilations, d.before, d.after);
    c.primitive = dnnl::convolution_backward_data(desc);
    c.filter_argument = DNNL_ARG_WEIGHTS;
    c.fast_filter = desc.weights_desc();
    add(DNNL_ARG_DIFF_DST, d.y);
    add(DNNL_ARG_DIFF_SRC, d.x);
  } else {
    const auto desc = onednn::describe_gradient<dnnl::convolution_backward_weights>(
        hint, kDirect, d.x, d.any_filter, d.y, d.strides, d.dilations, d.before, d.after);
    c.primitive = dnnl::convolution_backward_weights(desc);
    c.filter_argument = DNNL_ARG_DIFF_WEIGHTS;
    c.fast_filter = desc.diff_weights_desc();
    add(DNNL_ARG_SRC, d.x);
    add(DNNL_ARG_DIFF_DST, d.y);
  }
  add(c.filter_argument, c.fast_filter);
  c.our_filter = memory(d.our_filter, engine, DNNL_MEMORY_NONE);
  c.reorders = c.fast_filter != d.our_filter;
  if (c.reorders) {
    const memory& fast = c.arguments.at(c.filter_argument);
    c.reorder = p.direction == kBackwardFilter ? dnnl::reorder(fast, c.our_filter) : dnnl::reorder(c.our_filter, fast);
  }
  return c;
}

void run(Convolution& c, const ConvolutionProblem& p, const void* first, const void* second, const void* bias,
         void* output) {
  const auto set = [&](int argument, const void* data) {
    c.arguments.at(argument).set_data_handle(const_cast<void*>(data));
  };
  const bool filter_is_output = p.direction == kBackwardFilter;
  switch (p.direction) {
    case kForward:
      set(DNNL_ARG_SRC, first);
      set(DNNL_ARG_DST, output);
      if (p.has_bias) set(DNNL_ARG_BIAS, bias);
      break;
    case kBackwardInput:
      set(DNNL_ARG_DIFF_DST, first);
      set(DNNL_ARG_DIFF_SRC, output);
      break;
    default: set(DNNL_ARG_SRC, first); set(DNNL_ARG_DIFF_DST, second);
  }
  void* const filter = filter_is_output ? output : const_cast<void*>(second);
  dnnl::stream& stream = onednn::stream();
  if (!c.reorders) {
    set(c.filter_argument, filter);
    c.primitive.execute(stream, c.arguments);
    return;
  }
  memory& fast = c.arguments.at(c.filter_argument);
  fast.set_data_handle(filter_buffer(c.fast_filter.get_size()));
  c.our_filter.set_data_handle(filter);
  if (!filter_is_output) c.reorder.execute(stream, c.our_filter, fast);
  c.primitive.execute(stream, c.arguments);
  if (filter_is_output) c.reorder.execute(stream, fast, c.our_filter);
}

}  // namespace

std::optional<DType> library_convolution_dtype(const ConvolutionProblem& problem) {
  if (problem.flops() < kWorthCalling) return std::nullopt;
  return onednn::compute_dtype(problem.dtype);
}

bool library_convolution_fuses(Queue&, const ConvolutionProblem& problem, const ActivationFacts& facts,
                               std::span<const double> parameters) {
  return !problem.keeps_pre && onednn::fuses(facts, parameters);
}

bool library_convolution(Queue& queue, const ConvolutionProblem& problem, const void* first, const void* second,
                         const void* bias, void* output, void*) {
  queue.enqueue([=] {
    onednn::guarded("convolution", [&] {
      onednn::set_threads(problem.flops());
      run(onednn::prepared(problem, [&] { return prepare(problem); }), problem, first, second, bias, output);
    });
  });
  return true;
}

#else

std::optional<DType> library_convolution_dtype(const ConvolutionProblem&) { return std::nullopt; }
bool library_convolution_fuses(Queue&, const ConvolutionProblem&, const ActivationFacts&, std::span<const double>) {
  return false;
}
bool library_convolution(Queue&, const ConvolutionProblem&, const void*, const void*, const void*, void*, void*) {
  return false;
}

#endif

}  // namespace selfnorm
