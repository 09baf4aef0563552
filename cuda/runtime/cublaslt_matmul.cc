// cuBLASLt as an engine: the product with its bias, and the two activations it has where they are as ours.
#include <cublasLt.h>

#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "matmul_engine.h"

namespace selfnorm {
namespace {

// What PyTorch takes on Hopper too: less, and the heuristic loses its split-K algorithms.
constexpr size_t kWorkspace = size_t(32) << 20;

void check_cublas(cublasStatus_t status, const char* call) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw Error(status == CUBLAS_STATUS_ALLOC_FAILED ? "ERR_OUT_OF_MEMORY" : "ERR_CUDA",
              std::string(call) + ": " + cublasLtGetStatusName(status) + ": " + cublasLtGetStatusString(status));
}

// An opaque cuBLASLt object, destroyed with its owner.
template <class Object, cublasStatus_t (*Destroy)(Object)>
class Owned {
 public:
  Owned() = default;
  Owned(Owned&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Owned(const Owned&) = delete;
  Owned& operator=(Owned&& other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~Owned() {
    if (object_) Destroy(object_);
  }
  Object get() const { return object_; }
  Object* address() { return &object_; }

 private:
  Object object_ = nullptr;
};
using MatmulDescriptor = Owned<cublasLtMatmulDesc_t, cublasLtMatmulDescDestroy>;
using Layout = Owned<cublasLtMatrixLayout_t, cublasLtMatrixLayoutDestroy>;
using Preference = Owned<cublasLtMatmulPreference_t, cublasLtMatmulPreferenceDestroy>;

// One a thread and device; never destroyed, since the driver may be gone when threads end.
cublasLtHandle_t handle_of(int device) {
  thread_local std::unordered_map<int, cublasLtHandle_t> handles;
  const auto found = handles.find(device);
  if (found != handles.end()) return found->second;
  cublasLtHandle_t handle = nullptr;
  check_cublas(cublasLtCreate(&handle), "cublasLtCreate");
  return handles.emplace(device, handle).first->second;
}

cudaDataType_t data_type(DType dtype) {
  switch (dtype) {
    case DType::kFloat16: return CUDA_R_16F;
    case DType::kBfloat16: return CUDA_R_16BF;
    case DType::kFloat64: return CUDA_R_64F;
    default: return CUDA_R_32F;
  }
}

cublasComputeType_t compute_type(const MatmulProblem& p) {
  if (p.dtype == DType::kFloat64) return CUBLAS_COMPUTE_64F;
  return p.dtype == DType::kFloat32 && p.tensor_float32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F;
}

// The heuristic's choice depends on these beside the problem.
struct PlanKey {
  MatmulProblem problem;
  int64_t device;
  int64_t alignment;
  int64_t epilogue;
};

struct Plan {
  MatmulDescriptor descriptor;
  Layout left, right, result;
  cublasLtMatmulAlgo_t algorithm;
  size_t workspace;
};

// Bytes that all addresses are multiples of, up to what the allocator gives.
int64_t alignment_of(std::initializer_list<const void*> addresses) {
  uintptr_t bits = 256;
  for (const void* address : addresses) bits |= reinterpret_cast<uintptr_t>(address);
  return int64_t(bits & (~bits + 1));
}

Layout make_layout(const MatmulProblem& p, int64_t rows, int64_t columns, int64_t stride) {
  Layout layout;
  check_cublas(
      cublasLtMatrixLayoutCreate(layout.address(), data_type(p.dtype), uint64_t(rows), uint64_t(columns), rows),
      "cublasLtMatrixLayoutCreate");
  const int32_t count = int32_t(p.batch);
  check_cublas(
      cublasLtMatrixLayoutSetAttribute(layout.get(), CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof(count)),
      "cublasLtMatrixLayoutSetAttribute");
  check_cublas(cublasLtMatrixLayoutSetAttribute(layout.get(), CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride,
                                                sizeof(stride)),
               "cublasLtMatrixLayoutSetAttribute");
  return layout;
}

template <class Value>
void set(const MatmulDescriptor& descriptor, cublasLtMatmulDescAttributes_t attribute, Value value) {
  check_cublas(cublasLtMatmulDescSetAttribute(descriptor.get(), attribute, &value, sizeof(value)),
               "cublasLtMatmulDescSetAttribute");
}

template <class Value>
void set(const Preference& preference, cublasLtMatmulPreferenceAttributes_t attribute, Value value) {
  check_cublas(cublasLtMatmulPreferenceSetAttribute(preference.get(), attribute, &value, sizeof(value)),
               "cublasLtMatmulPreferenceSetAttribute");
}

// cuBLASLt thinks in columns: our row-major y = a b is its y' = b' a', where a row-major matrix is its own transpose.
Plan make_plan(const PlanKey& key, const void* bias) {
  const MatmulProblem& p = key.problem;
  Plan plan{};
  const cudaDataType_t scale = p.dtype == DType::kFloat64 ? CUDA_R_64F : CUDA_R_32F;
  check_cublas(cublasLtMatmulDescCreate(plan.descriptor.address(), compute_type(p), scale), "cublasLtMatmulDescCreate");
  set(plan.descriptor, CUBLASLT_MATMUL_DESC_TRANSA, p.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(plan.descriptor, CUBLASLT_MATMUL_DESC_TRANSB, p.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N);
  set(plan.descriptor, CUBLASLT_MATMUL_DESC_EPILOGUE, cublasLtEpilogue_t(key.epilogue));
  if (bias != nullptr) {
    // Before the heuristic, which looks at its alignment.
    set(plan.descriptor, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
  }
  plan.left = p.transpose_b ? make_layout(p, p.k, p.n, p.stride_b) : make_layout(p, p.n, p.k, p.stride_b);
  plan.right = p.transpose_a ? make_layout(p, p.m, p.k, p.stride_a) : make_layout(p, p.k, p.m, p.stride_a);
  plan.result = make_layout(p, p.n, p.m, p.m * p.n);

  Preference preference;
  check_cublas(cublasLtMatmulPreferenceCreate(preference.address()), "cublasLtMatmulPreferenceCreate");
  set(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, uint64_t(kWorkspace));
  for (const auto attribute :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
    set(preference, attribute, uint32_t(key.alignment));
  }
  cublasLtMatmulHeuristicResult_t found{};
  int count = 0;
  check_cublas(cublasLtMatmulAlgoGetHeuristic(handle_of(int(key.device)), plan.descriptor.get(), plan.left.get(),
                                              plan.right.get(), plan.result.get(), plan.result.get(), preference.get(),
                                              1, &found, &count),
               "cublasLtMatmulAlgoGetHeuristic");
  if (count == 0) throw Error("ERR_CUDA", "cublasLtMatmulAlgoGetHeuristic: expected an algorithm, got none");
  plan.algorithm = found.algo;
  plan.workspace = found.workspaceSize;
  return plan;
}

Plan& plan_for(const PlanKey& key, const void* bias) {
  constexpr size_t kMostPlans = 4096;
  thread_local std::unordered_map<PlanKey, Plan, ProblemHash<PlanKey>, ProblemEqual<PlanKey>> plans;
  const auto found = plans.find(key);
  if (found != plans.end()) return found->second;
  if (plans.size() >= kMostPlans) plans.clear();
  return plans.emplace(key, make_plan(key, bias)).first->second;
}

// What cuBLASLt can do after bias.
enum class Activation { kNone, kRelu, kGeluTanh };

bool activates(cublasLtEpilogue_t epilogue) {
  return epilogue != CUBLASLT_EPILOGUE_DEFAULT && epilogue != CUBLASLT_EPILOGUE_BIAS &&
         epilogue != CUBLASLT_EPILOGUE_BGRADA;
}

cublasLtEpilogue_t epilogue_of(Activation activation, bool has_bias) {
  switch (activation) {
    case Activation::kRelu: return has_bias ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_RELU;
    case Activation::kGeluTanh: return has_bias ? CUBLASLT_EPILOGUE_GELU_BIAS : CUBLASLT_EPILOGUE_GELU;
    default: return has_bias ? CUBLASLT_EPILOGUE_BIAS : CUBLASLT_EPILOGUE_DEFAULT;
  }
}

// The activation of the problem if cuBLASLt has it. Its GELU is the tanh form, whose error is not documented: float32
// keeps ours.
Activation activation_of(const MatmulProblem& problem) {
  const bool forward = problem.form == MatmulForm::kForward;
  if (!forward || problem.activation < 0 || problem.keeps != Keeps::kNothing) return Activation::kNone;
  const std::string_view name = Queue::ops().activations[size_t(problem.activation)].name;
  if (name == "relu" && problem.dtype != DType::kFloat64) return Activation::kRelu;
  const bool half = problem.dtype == DType::kFloat16 || problem.dtype == DType::kBfloat16;
  return name == "geluTanh" && half ? Activation::kGeluTanh : Activation::kNone;
}

void multiply(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands, cublasLtEpilogue_t epilogue) {
  const bool sums = epilogue == CUBLASLT_EPILOGUE_BGRADA;
  // What the library calls the bias, whether it reads or writes it.
  const void* const bias = sums ? operands.sums : operands.bias;
  void* const result = activates(epilogue) ? operands.y : operands.product();
  PlanKey key{problem, queue.device(), alignment_of({operands.a, operands.b, bias, result}), epilogue};
  // What does not change the plan.
  key.problem.activation = -1;
  key.problem.keeps = Keeps::kNothing;
  key.problem.has_dropout = key.problem.has_sums = 0;
  key.problem.form = MatmulForm::kForward;
  key.problem.parameters[0] = key.problem.parameters[1] = 0;
  std::unique_ptr<Scratch> workspace;
  queue.enqueue([&] {
    Plan& plan = plan_for(key, bias);
    if (plan.workspace > 0) workspace = std::make_unique<Scratch>(queue, plan.workspace);
    if (bias != nullptr) set(plan.descriptor, CUBLASLT_MATMUL_DESC_BIAS_POINTER, bias);
    const double one64 = 1, before64 = problem.form == MatmulForm::kAdded;
    const float one32 = 1, before32 = float(before64);
    const bool wide = problem.dtype == DType::kFloat64;
    const void* const one = wide ? static_cast<const void*>(&one64) : &one32;
    const void* const before = wide ? static_cast<const void*>(&before64) : &before32;
    check_cublas(
        cublasLtMatmul(handle_of(queue.device()), plan.descriptor.get(), one, operands.b, plan.left.get(), operands.a,
                       plan.right.get(), before, result, plan.result.get(), result, plan.result.get(), &plan.algorithm,
                       workspace ? workspace->as<void>() : nullptr, plan.workspace, queue.stream()),
        "cublasLtMatmul");
  });
}

// Whether the library's activation hands NaN on, as ours do: a product whose left operand is all NaN, run once a device
// and type.
bool keeps_nan(Queue& queue, DType dtype, Activation activation) {
  const OutsideOfPlan outside;
  constexpr int64_t kSize = 16;
  MatmulProblem problem;
  problem.dtype = dtype;
  problem.m = problem.n = problem.k = kSize;
  const size_t bytes = size_t(kSize * kSize * size_of(dtype));
  const Scratch a(queue, bytes), y(queue, bytes);
  std::vector<uint8_t> values(bytes);
  queue.enqueue([&] { check_cuda(cudaMemsetAsync(a.as<void>(), 0xff, bytes, queue.stream()), "cudaMemsetAsync"); });
  multiply(queue, problem, {a.as<void>(), a.as<void>(), nullptr, y.as<void>()}, epilogue_of(activation, false));
  queue.download(values.data(), y.as<void>(), bytes, true)->wait();
  // Little endian: an exponent of ones ends every element of every float type here.
  const size_t width = size_t(size_of(dtype));
  const int exponent = dtype == DType::kFloat16 ? 0x7c : 0x7f;
  for (size_t at = width; at <= bytes; at += width) {
    if ((values[at - 1] & exponent) != exponent) return false;
  }
  return true;
}

bool hands_nan_on(Queue& queue, DType dtype, Activation activation) {
  static std::mutex mutex;
  static std::unordered_map<int64_t, bool> known;
  const std::lock_guard lock(mutex);
  const int64_t key = (int64_t(queue.device()) * 16 + int64_t(dtype)) * 4 + int64_t(activation);
  const auto found = known.find(key);
  if (found != known.end()) return found->second;
  // A capture cannot wait for the answer.
  if (capturing(queue)) return false;
  return known.emplace(key, keeps_nan(queue, dtype, activation)).first->second;
}

bool takes_product(Queue&, const MatmulProblem& problem, const MatmulOperands&) {
  return int(problem.dtype) <= int(DType::kFloat64) && !(problem.dtype == DType::kFloat64 && problem.has_bias);
}

MatmulStage run_product(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
  multiply(queue, problem, operands, epilogue_of(Activation::kNone, problem.has_bias != 0));
  return MatmulStage::kProduct;
}

bool takes_activation(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
  const Activation activation = activation_of(problem);
  return takes_product(queue, problem, operands) && activation != Activation::kNone &&
         hands_nan_on(queue, problem.dtype, activation);
}

MatmulStage run_activation(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
  multiply(queue, problem, operands, epilogue_of(activation_of(problem), problem.has_bias != 0));
  return MatmulStage::kActivated;
}

// The library's left operand is our b: its gradient of a bias is the sum of b's columns.
bool takes_sums(Queue&, const MatmulProblem& problem, const MatmulOperands&) {
  return problem.form == MatmulForm::kSumsRight && problem.batch == 1 && problem.dtype != DType::kFloat64;
}

MatmulStage run_sums(Queue& queue, const MatmulProblem& problem, const MatmulOperands& operands) {
  multiply(queue, problem, operands, CUBLASLT_EPILOGUE_BGRADA);
  return MatmulStage::kDropped;
}

}  // namespace

const MatmulEngine kCublasLtMatmul{"cublaslt", "cuBLASLt, then our passes", takes_product, run_product};
const MatmulEngine kCublasLtActivationMatmul{"cublaslt", "cuBLASLt with its activation", takes_activation,
                                             run_activation};
const MatmulEngine kCublasLtSumsMatmul{"cublaslt", "cuBLASLt with the bias's gradient", takes_sums, run_sums};

}  // namespace selfnorm
