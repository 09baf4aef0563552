#include "cudnn_matmul.h"

#include "cudnn_run.h"

namespace selfnorm {
namespace {

using cudnn::Addresses;
using cudnn::Epilogue;
using cudnn::Prepared;

constexpr size_t kMostWorkspace = size_t(256) << 20;
constexpr int64_t kWide = 16;

enum Form : int32_t { kProduct = 1, kKeepsPre = 2, kDerivative = 4, kSums = 8 };

struct PlanKey {
  MatmulProblem problem;
  const ActivationFacts* facts;
  int64_t device;
  int64_t alignment;
  int64_t form;
};

const std::optional<Prepared>& prepared_for(const PlanKey& key) {
  constexpr size_t kMostPlans = 4096;
  return cudnn::remembered(key, kMostPlans, [&] {
    Epilogue epilogue;
    epilogue.bias = key.problem.has_bias != 0;
    epilogue.parameters = key.problem.parameters;
    epilogue.keeps_pre = (key.form & kKeepsPre) != 0;
    epilogue.sums = (key.form & kSums) != 0;
    (key.form & kDerivative ? epilogue.derivative : epilogue.activation) = key.facts;
    return cudnn::prepare(int(key.device), cudnn::matmul_graph(key.problem, epilogue, key.alignment),
                          {false, true, kMostWorkspace});
  });
}

PlanKey key_of(Queue& queue, const MatmulProblem& problem, const ActivationFacts& facts, int64_t alignment,
               int64_t form) {
  PlanKey key{problem, &facts, queue.device(), alignment, form};
  key.problem.tensor_float32 = problem.dtype == DType::kFloat32 && queue.fast_float32;
  key.problem.activation = -1;
  key.problem.form = MatmulForm::kForward;
  key.problem.has_sums = 0;
  return key;
}

bool run(Queue& queue, const PlanKey& key, const Addresses& addresses) {
  return cudnn::run_found(queue, addresses, [&]() -> const std::optional<Prepared>& { return prepared_for(key); });
}

}  // namespace

bool cudnn_matmul_fuses(Queue& queue, const MatmulProblem& problem, const ActivationFacts& facts, bool keeps_pre) {
  bool has = false;
  queue.enqueue([&] {
    has = prepared_for(key_of(queue, problem, facts, kWide, keeps_pre ? kProduct | kKeepsPre : kProduct)).has_value();
  });
  return has;
}

bool cudnn_matmul_differentiates(Queue& queue, const MatmulProblem& problem, const ActivationFacts& facts, bool sums) {
  bool has = false;
  queue.enqueue([&] {
    has = prepared_for(key_of(queue, problem, facts, kWide, sums ? kDerivative | kSums : kDerivative)).has_value();
  });
  return has;
}

bool cudnn_matmul(Queue& queue, const MatmulProblem& problem, const ActivationFacts& facts, const void* a,
                  const void* b, const void* bias, void* y, void* pre) {
  const Addresses addresses{a, b, y, bias, nullptr, pre, nullptr};
  const int64_t form = pre != nullptr ? kProduct | kKeepsPre : kProduct;
  return run(queue, key_of(queue, problem, facts, addresses.alignment(size_of(problem.dtype)), form), addresses);
}

bool cudnn_matmul_derivative(Queue& queue, const MatmulProblem& problem, const ActivationFacts& facts, const void* a,
                             const void* b, const void* saved, void* y, float* sums) {
  const Addresses addresses{a, b, y, nullptr, saved, nullptr, sums};
  const int64_t form = sums != nullptr ? kDerivative | kSums : kDerivative;
  return run(queue, key_of(queue, problem, facts, addresses.alignment(size_of(problem.dtype)), form), addresses);
}

}  // namespace selfnorm
