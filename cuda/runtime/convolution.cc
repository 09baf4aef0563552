#include "convolution.h"

#include <algorithm>

#include "cudnn_run.h"

namespace selfnorm {
namespace {

using cudnn::Addresses;
using cudnn::Epilogue;
using cudnn::Prepared;

constexpr size_t kMostWorkspace = size_t(1) << 30;
constexpr int64_t kWide = 16;

enum Form : int32_t { kProduct = 1, kDerivative = 2, kSums = 4 };

struct PlanKey {
  ConvolutionProblem problem;
  const ActivationFacts* facts;  // null: the plain convolution
  int64_t device;
  int64_t alignment;
  int64_t form;
};

const std::optional<Prepared>& prepared_for(const PlanKey& key) {
  constexpr size_t kMostPlans = 1024;
  return cudnn::remembered(key, kMostPlans, [&] {
    const ConvolutionProblem& problem = key.problem;
    const bool fuses = key.facts != nullptr;
    Epilogue epilogue;
    epilogue.bias = fuses && problem.has_bias != 0;
    epilogue.parameters = problem.parameters;
    epilogue.keeps_pre = problem.keeps_pre != 0;
    epilogue.sums = (key.form & kSums) != 0;
    (key.form & kDerivative ? epilogue.derivative : epilogue.activation) = key.facts;
    const bool strict = problem.dtype == DType::kFloat32 && !problem.tensor_float32;
    return cudnn::prepare(int(key.device), cudnn::convolution_graph(problem, epilogue, key.alignment),
                          {strict, fuses, kMostWorkspace});
  });
}

// Where nothing is fused, bias and activation are not part of the plan.
PlanKey key_of(Queue& queue, const ConvolutionProblem& problem, const ActivationFacts* facts, int64_t alignment,
               int64_t form) {
  PlanKey key{problem, facts, queue.device(), alignment, form};
  key.problem.tensor_float32 = problem.dtype == DType::kFloat32 && queue.fast_float32;
  key.problem.activation = -1;
  if (facts == nullptr) key.problem.has_bias = key.problem.keeps_pre = 0;
  return key;
}

bool run(Queue& queue, const PlanKey& key, const Addresses& addresses) {
  return cudnn::run_found(queue, addresses, [&]() -> const std::optional<Prepared>& { return prepared_for(key); });
}

bool has_plan(Queue& queue, const ConvolutionProblem& problem, const ActivationFacts& facts, Form form) {
  bool has = false;
  queue.enqueue([&] { has = prepared_for(key_of(queue, problem, &facts, kWide, form)).has_value(); });
  return has;
}

}  // namespace

std::optional<DType> library_convolution_dtype(const ConvolutionProblem& problem) {
  if (int(problem.dtype) > int(DType::kBfloat16)) return std::nullopt;
  return problem.dtype;
}

bool library_convolution_fuses(Queue& queue, const ConvolutionProblem& problem, const ActivationFacts& facts,
                               std::span<const double> parameters) {
  // Tensor cores multiply whole tiles of channels: depthwise, nearly all of it would be zeros. cuDNN's own depthwise
  // kernels and a pass behind them move fewer bytes than that computes.
  if (problem.groups > 1 && problem.group_inputs() == 1) return false;
  ConvolutionProblem fused = problem;
  std::copy(parameters.begin(), parameters.end(), fused.parameters);
  return has_plan(queue, fused, facts, kProduct);
}

bool library_convolution_differentiates(Queue& queue, const ConvolutionProblem& problem, const ActivationFacts& facts) {
  return has_plan(queue, problem, facts, kDerivative);
}

bool library_convolution(Queue& queue, const ConvolutionProblem& problem, const void* first, const void* second,
                         const void* bias, void* output, void* pre) {
  const ActivationFacts* const facts =
      problem.activation < 0 ? nullptr : &Queue::ops().activations[size_t(problem.activation)];
  const Addresses addresses{first, second, output, facts ? bias : nullptr, nullptr, facts ? pre : nullptr, nullptr};
  return run(queue, key_of(queue, problem, facts, addresses.alignment(size_of(problem.dtype)), kProduct), addresses);
}

bool library_convolution_derivative(Queue& queue, const ConvolutionProblem& problem, const ActivationFacts& facts,
                                    const void* dy, const void* filter, const void* saved, void* dx, float* sums) {
  const Addresses addresses{dy, filter, dx, nullptr, saved, nullptr, sums};
  const int64_t form = sums != nullptr ? kDerivative | kSums : kDerivative;
  return run(queue, key_of(queue, problem, &facts, addresses.alignment(size_of(problem.dtype)), form), addresses);
}

}  // namespace selfnorm
