#include "matmul.h"

#include <algorithm>

#ifdef SELFNORM_HAS_ONEDNN
#include "onednn.h"
#endif

namespace selfnorm {

#ifdef SELFNORM_HAS_ONEDNN
namespace {

// Below it the plain kernel takes less time than the call.
constexpr int64_t kWorthCalling = 1 << 10;

// A primitive with its arguments; the memory objects' addresses are set at each call.
struct Prepared {
  dnnl::primitive primitive;
  std::unordered_map<int, dnnl::memory> arguments;
};

Prepared prepare(const MatmulProblem& p) {
  using dnnl::memory;
  const memory::data_type type = onednn::data_type(p.dtype);
  const bool batched = p.batch > 1;
  // Sizes and strides with the batch axis in front, where there is one.
  const auto desc = [&](int64_t rows, int64_t columns, int64_t row, int64_t column, int64_t matrix) {
    if (!batched) return memory::desc({rows, columns}, type, memory::dims{row, column});
    return memory::desc({matrix == 0 ? 1 : p.batch, rows, columns}, type,
                        memory::dims{matrix == 0 ? rows * columns : matrix, row, column});
  };
  const memory::desc a = p.transpose_a ? desc(p.m, p.k, 1, p.m, p.stride_a) : desc(p.m, p.k, p.k, 1, p.stride_a);
  const memory::desc b = p.transpose_b ? desc(p.k, p.n, 1, p.k, p.stride_b) : desc(p.k, p.n, p.n, 1, p.stride_b);
  const memory::desc y = desc(p.m, p.n, p.n, 1, p.m * p.n);
  dnnl::post_ops post_ops;
  if (p.form == MatmulForm::kAdded) post_ops.append_sum();
  if (p.activation >= 0) {
    onednn::append_activation(post_ops, Queue::ops().activations[size_t(p.activation)], p.parameters);
  }
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(post_ops);
  const dnnl::engine& engine = onednn::engine();
  Prepared result;
  const auto add = [&](int argument, const memory::desc& d) {
    result.arguments.emplace(argument, memory(d, engine, DNNL_MEMORY_NONE));
  };
  if (p.has_bias) {
    const memory::desc bias = batched ? memory::desc({1, 1, p.n}, type, memory::dims{p.n, p.n, 1})
                                      : memory::desc({1, p.n}, type, memory::dims{p.n, 1});
    result.primitive = dnnl::matmul(onednn::describe<dnnl::matmul>(attributes, a, b, bias, y));
    add(DNNL_ARG_BIAS, bias);
  } else {
    result.primitive = dnnl::matmul(onednn::describe<dnnl::matmul>(attributes, a, b, y));
  }
  add(DNNL_ARG_SRC, a);
  add(DNNL_ARG_WEIGHTS, b);
  add(DNNL_ARG_DST, y);
  return result;
}

}  // namespace

std::optional<DType> library_matmul_dtype(const MatmulProblem& problem) {
  if (problem.flops() < kWorthCalling) return std::nullopt;
  return onednn::compute_dtype(problem.dtype);
}

MatmulStage library_matmul(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
  MatmulProblem computed = problem;
  computed.keeps = Keeps::kNothing;
  computed.has_dropout = computed.has_sums = 0;
  if (problem.form != MatmulForm::kAdded) computed.form = MatmulForm::kForward;
  bool fuses = false;
  if (problem.form == MatmulForm::kForward && problem.activation >= 0) {
    const ActivationFacts& facts = Queue::ops().activations[size_t(problem.activation)];
    const std::span<const double> parameters(problem.parameters, size_t(facts.parameter_count));
    fuses = operands.kept == nullptr && onednn::fuses(facts, parameters);
  }
  if (!fuses) {
    computed.activation = -1;
    std::fill(std::begin(computed.parameters), std::end(computed.parameters), 0.0);
  }
  queue.enqueue([=] {
    onednn::guarded("matmul", [&] {
      onednn::set_threads(computed.flops());
      Prepared& prepared = onednn::prepared(computed, [&] { return prepare(computed); });
      const auto set = [&](int argument, const void* data) {
        prepared.arguments.at(argument).set_data_handle(const_cast<void*>(data));
      };
      set(DNNL_ARG_SRC, operands.a);
      set(DNNL_ARG_WEIGHTS, operands.b);
      set(DNNL_ARG_DST, operands.product());
      if (computed.has_bias) set(DNNL_ARG_BIAS, operands.bias);
      prepared.primitive.execute(onednn::stream(), prepared.arguments);
    });
  });
  return fuses ? MatmulStage::kActivated : MatmulStage::kProduct;
}

#else

std::optional<DType> library_matmul_dtype(const MatmulProblem&) { return std::nullopt; }
MatmulStage library_matmul(Queue&, const MatmulProblem&, const MatmulOperands&) { return MatmulStage::kProduct; }

#endif

}  // namespace selfnorm
