// Which engine computes a matrix product: measured once a class of shapes, then remembered.
#include "matmul.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <limits>
#include <memory>
#include <mutex>
#include <sstream>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "../ops/matmul_passes.h"
#include "kernel_choices.h"
#include "matmul_engine.h"

namespace selfnorm {
namespace {

// Sizes that share a choice: equal in their first three binary digits, rounded up, so within a quarter of each other.
int64_t size_class(int64_t size) {
  const int dropped = std::max(0, int(std::bit_width(uint64_t(size))) - 3);
  return (((size - 1) >> dropped) + 1) << dropped;
}

// Everything an engine's time depends on; sizes by class.
struct ShapeClass {
  MatmulProblem problem;
  int64_t device;
  int64_t wide;  // bits: rows of a, of b and of y begin at multiples of 16 bytes
};

bool wide_rows(const void* data, int64_t columns, DType dtype) {
  constexpr uintptr_t kWide = 16;
  return (reinterpret_cast<uintptr_t>(data) | uintptr_t(columns * size_of(dtype))) % kWide == 0;
}

ShapeClass class_of(const Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
  ShapeClass shape{problem, queue.device(), 0};
  MatmulProblem& p = shape.problem;
  shape.wide = int64_t(wide_rows(operands.a, p.transpose_a ? p.m : p.k, p.dtype)) |
               int64_t(wide_rows(operands.b, p.transpose_b ? p.k : p.n, p.dtype)) << 1 |
               int64_t(wide_rows(operands.y, p.n, p.dtype)) << 2;
  for (int64_t* size : {&p.batch, &p.m, &p.n, &p.k}) *size = size_class(*size);
  p.stride_a = p.stride_a != 0;
  p.stride_b = p.stride_b != 0;
  p.parameters[0] = p.parameters[1] = 0;
  return shape;
}

constexpr float kFailed = std::numeric_limits<float>::infinity();

struct Timing {
  const MatmulEngine* engine;
  float milliseconds;  // kFailed: it did; negative: not measured
};
using Ranking = std::vector<Timing>;  // best first

// The family that SELFNORM_MATMUL names; empty: none.
std::string_view forced_family() {
  static const std::string_view family = [] {
    const char* const given = std::getenv("SELFNORM_MATMUL");
    const std::string_view name = given == nullptr ? "" : given;
    std::string known;
    for (const MatmulEngine* engine : matmul_engines()) {
      if (name == engine->family) return name;
      if (known.find(engine->family) == std::string::npos)
        known += (known.empty() ? "" : ", ") + std::string(engine->family);
    }
    if (name.empty() || name == "auto") return std::string_view();
    throw Error("ERR_ARGUMENT", "SELFNORM_MATMUL: expected auto or one of " + known + ", got " + std::string(name));
  }();
  return family;
}

Ranking candidates(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
  Ranking all, family;
  for (const MatmulEngine* engine : matmul_engines()) {
    if (!engine->takes(queue, problem, operands)) continue;
    all.push_back({engine, -1});
    if (forced_family() == engine->family) family.push_back({engine, -1});
  }
  return family.empty() ? all : family;
}

class Event {
 public:
  Event() { check_cuda(cudaEventCreate(&event_), "cudaEventCreate"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void record(Queue& queue) { check_cuda(cudaEventRecord(event_, queue.stream()), "cudaEventRecord"); }
  float since(const Event& start) const {
    check_cuda(cudaEventSynchronize(event_), "cudaEventSynchronize");
    float milliseconds = 0;
    check_cuda(cudaEventElapsedTime(&milliseconds, start.event_, event_), "cudaEventElapsedTime");
    return milliseconds;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

// Milliseconds a run takes, passes included.
float measure(Queue& queue, const MatmulEngine& engine, const MatmulProblem& problem, const MatmulOperands& operands) {
  constexpr int kRounds = 3, kMostRuns = 10;
  constexpr float kRoundLasts = 1;
  const auto run = [&] { SN_BUILD::finish_matmul(queue, problem, operands, engine.run(queue, problem, operands)); };
  Event start, end;
  const auto time = [&](int runs) {
    start.record(queue);
    for (int i = 0; i < runs; ++i) run();
    end.record(queue);
    return end.since(start) / float(runs);
  };
  // Plans are made and kernels loaded in the first run; the second says how many make a round.
  run();
  const float once = time(1);
  const int runs = std::clamp(int(kRoundLasts / std::max(once, 1e-3f)), 1, kMostRuns);
  float best = once;
  for (int round = 0; round < kRounds; ++round) best = std::min(best, time(runs));
  return best;
}

// Measures on the call's own inputs, into scratch memory.
void rank(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands, Ranking& ranking) {
  const OutsideOfPlan outside;
  const size_t bytes = size_t(problem.size() * size_of(problem.dtype));
  const Scratch y(queue, bytes);
  std::unique_ptr<Scratch> kept, sums;
  MatmulOperands scratch = operands;
  scratch.y = y.as<void>();
  if (operands.sums != nullptr) {
    sums = std::make_unique<Scratch>(queue, size_t(problem.n * size_of(problem.dtype)));
    scratch.sums = sums->as<void>();
  }
  if (operands.kept != nullptr) {
    kept = std::make_unique<Scratch>(queue, bytes);
    scratch.kept = kept->as<void>();
  }
  for (Timing& timing : ranking) {
    try {
      timing.milliseconds = measure(queue, *timing.engine, problem, scratch);
    } catch (const Error& error) {
      // Not offered after all, or no memory for its workspace: the others serve.
      timing.milliseconds = kFailed;
    }
  }
  std::stable_sort(ranking.begin(), ranking.end(),
                   [](const Timing& a, const Timing& b) { return a.milliseconds < b.milliseconds; });
  if (!(ranking.front().milliseconds < kFailed)) ranking = {{&kCublasLtMatmul, -1}};
}

struct Choices {
  std::mutex mutex;
  std::unordered_map<ShapeClass, Ranking, ProblemHash<ShapeClass>, ProblemEqual<ShapeClass>> by_class;
};
Choices& choices() {
  static Choices all;
  return all;
}

// The best engine of the class that takes this very problem. Made once: a choice that changed would change bits.
const MatmulEngine& engine_for(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
  Choices& all = choices();
  const std::lock_guard lock(all.mutex);
  const ShapeClass shape = class_of(queue, problem, operands);
  auto found = all.by_class.find(shape);
  if (found == all.by_class.end()) {
    Ranking ranking = {{&kCublasLtMatmul, -1}};
    const bool captured = capturing(queue);
    if (!captured || !forced_family().empty()) ranking = candidates(queue, problem, operands);
    if (ranking.size() > 1 && !captured) {
      try {
        queue.enqueue([&] { rank(queue, problem, operands, ranking); });
      } catch (const Error& error) {
        // No memory to measure in: the order of preference stands.
        if (std::string_view(error.code()) != "ERR_OUT_OF_MEMORY") throw;
      }
    }
    found = all.by_class.emplace(shape, std::move(ranking)).first;
  }
  for (const Timing& timing : found->second) {
    if (timing.milliseconds < kFailed && timing.engine->takes(queue, problem, operands)) return *timing.engine;
  }
  return kCublasLtMatmul;
}

std::string text_of(const ShapeClass& shape) {
  static constexpr const char* kTypes[] = {"float32", "float16", "bfloat16", "float64"};
  const MatmulProblem& p = shape.problem;
  const auto matrix = [](int64_t rows, int64_t columns, bool transposed) {
    std::ostringstream text;
    text << " [" << rows << ", " << columns << "]" << (transposed ? "^T" : "");
    return text.str();
  };
  std::string text = kTypes[int(p.dtype)];
  if (p.tensor_float32) text += " as TF32";
  if (p.batch > 1) text.append(" ").append(std::to_string(p.batch)).append(" x");
  text += matrix(p.m, p.k, p.transpose_a != 0) + matrix(p.k, p.n, p.transpose_b != 0);
  if (p.has_bias) text += " + bias";
  if (p.form == MatmulForm::kAdded) text += " added";
  if (p.form == MatmulForm::kDerivative) text += " by the slope of";
  if (p.activation >= 0) text += std::string(", ") + Queue::ops().activations[size_t(p.activation)].name;
  if (p.keeps != Keeps::kNothing) text += ", kept";
  if (p.has_dropout) text += ", dropout";
  if (p.has_sums) text += ", bias's gradient";
  return text;
}

}  // namespace

std::vector<KernelChoice> kernel_choices() {
  Choices& all = choices();
  const std::lock_guard lock(all.mutex);
  std::vector<KernelChoice> rows;
  for (const auto& [shape, ranking] : all.by_class) {
    KernelChoice row{"matmul", text_of(shape), {}};
    for (const Timing& timing : ranking) row.engines.push_back({timing.engine->name, timing.milliseconds});
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<DType> library_matmul_dtype(const MatmulProblem& problem) {
  if (problem.dtype == DType::kFloat64 && problem.has_bias) return std::nullopt;
  return int(problem.dtype) <= int(DType::kFloat64) ? std::optional(problem.dtype) : std::nullopt;
}

MatmulStage library_matmul(Queue& queue, const MatmulProblem& given, const MatmulOperands& operands) {
  MatmulProblem problem = given;
  // With 'highest' precision only engines that keep all of float32's digits take it.
  problem.tensor_float32 = problem.dtype == DType::kFloat32 && queue.fast_float32;
  return engine_for(queue, problem, operands).run(queue, problem, operands);
}

}  // namespace selfnorm
