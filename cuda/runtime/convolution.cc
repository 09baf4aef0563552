#include "convolution.h"

#include <memory>
#include <unordered_map>

#include "cudnn_graph.h"

namespace selfnorm {
namespace {

using cudnn::Descriptor;

constexpr size_t kMostWorkspace = size_t(1) << 30;

// Names of the tensors in a variant pack.
constexpr int64_t kX = 1, kFilter = 2, kY = 3;

// One a thread and device; never destroyed, since the driver may be gone when threads end.
cudnnHandle_t handle_of(int device) {
  thread_local std::unordered_map<int, cudnnHandle_t> handles;
  const auto found = handles.find(device);
  if (found != handles.end()) return found->second;
  cudnnHandle_t handle = nullptr;
  cudnn::check(cudnnCreate(&handle), "cudnnCreate");
  return handles.emplace(device, handle).first->second;
}

cudnnDataType_t data_type(DType dtype) {
  switch (dtype) {
    case DType::kFloat16: return CUDNN_DATA_HALF;
    case DType::kBfloat16: return CUDNN_DATA_BFLOAT16;
    default: return CUDNN_DATA_FLOAT;
  }
}

struct PlanKey {
  ConvolutionProblem problem;
  int64_t device;
  int64_t alignment;
};

// cuDNN names the axes image, channel, row, column, whatever their order in memory.
Descriptor image(int64_t id, cudnnDataType_t type, int64_t batch, int64_t height, int64_t width, int64_t channels,
                 int64_t alignment) {
  return cudnn::tensor(id, type, {batch, channels, height, width},
                       {height * width * channels, 1, width * channels, channels}, alignment);
}

Descriptor operation(const PlanKey& key) {
  const ConvolutionProblem& p = key.problem;
  const cudnnDataType_t type = data_type(p.dtype);
  const Descriptor x = image(kX, type, p.batch, p.in_height, p.in_width, p.in_channels, key.alignment);
  const Descriptor y = image(kY, type, p.batch, p.out_height, p.out_width, p.out_channels, key.alignment);
  const Descriptor filter =
      image(kFilter, type, p.out_channels, p.filter_height, p.filter_width, p.in_channels, key.alignment);
  Descriptor convolution(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
  const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
  convolution.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT)
      .set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode)
      .set(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, int64_t(2))
      .set(CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, {p.pad_top, p.pad_left})
      .set(CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, {p.pad_bottom(), p.pad_right()})
      .set(CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, {p.stride_height, p.stride_width})
      .set(CUDNN_ATTR_CONVOLUTION_DILATIONS, {p.dilation_height, p.dilation_width})
      .finalize();
  if (p.direction == kForward) {
    Descriptor forward(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    forward.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, filter)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, convolution)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0f)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0f)
        .finalize();
    return forward;
  }
  if (p.direction == kBackwardInput) {
    Descriptor backward(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR);
    backward.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX, x)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W, filter)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, y)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC, convolution)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA, 1.0f)
        .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA, 0.0f)
        .finalize();
    return backward;
  }
  Descriptor backward(CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR);
  backward.set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X, x)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW, filter)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY, y)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC, convolution)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA, 1.0f)
      .set(CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA, 0.0f)
      .finalize();
  return backward;
}

// A problem without a plan is remembered too: asking the heuristics takes milliseconds.
std::optional<cudnn::Plan>& plan_for(const PlanKey& key) {
  constexpr size_t kMostPlans = 1024;
  thread_local std::unordered_map<PlanKey, std::optional<cudnn::Plan>, ProblemHash<PlanKey>, ProblemEqual<PlanKey>>
      plans;
  const auto found = plans.find(key);
  if (found != plans.end()) return found->second;
  if (plans.size() >= kMostPlans) plans.clear();
  const bool strict = key.problem.dtype == DType::kFloat32 && !key.problem.tensor_float32;
  return plans.emplace(key, cudnn::Plan::find(handle_of(int(key.device)), operation(key), {strict, kMostWorkspace}))
      .first->second;
}

}  // namespace

std::optional<DType> library_convolution_dtype(const ConvolutionProblem& problem) {
  if (problem.depthwise || int(problem.dtype) > int(DType::kBfloat16)) return std::nullopt;
  return problem.dtype;
}

bool library_convolution_fuses(const ConvolutionProblem&, const ActivationFacts&, std::span<const double>) {
  return false;
}

bool library_convolution(Queue& queue, const ConvolutionProblem& problem, const void* first, const void* second,
                         const void* /*bias*/, void* output) {
  // 16 bytes is what the wide accesses of the engines need.
  constexpr uintptr_t kWide = 16;
  const uintptr_t bits =
      reinterpret_cast<uintptr_t>(first) | reinterpret_cast<uintptr_t>(second) | reinterpret_cast<uintptr_t>(output);
  PlanKey key{problem, queue.device(), bits % kWide == 0 ? int64_t(kWide) : size_of(problem.dtype)};
  key.problem.has_bias = 0;
  key.problem.tensor_float32 = problem.dtype == DType::kFloat32 && queue.fast_float32;
  void *const a = const_cast<void*>(first), *const b = const_cast<void*>(second);
  const std::vector<int64_t> ids = problem.direction == kForward         ? std::vector<int64_t>{kX, kFilter, kY}
                                   : problem.direction == kBackwardInput ? std::vector<int64_t>{kY, kFilter, kX}
                                                                         : std::vector<int64_t>{kX, kY, kFilter};
  bool ran = false;
  std::unique_ptr<Scratch> workspace;
  queue.enqueue([&] {
    std::optional<cudnn::Plan>& plan = plan_for(key);
    if (!plan) return;
    if (plan->workspace() > 0) workspace = std::make_unique<Scratch>(queue, plan->workspace());
    const cudnnHandle_t handle = handle_of(queue.device());
    cudnn::check(cudnnSetStream(handle, queue.stream()), "cudnnSetStream");
    plan->run(handle, ids, {a, b, output}, workspace ? workspace->as<void>() : nullptr);
    ran = true;
  });
  return ran;
}

}  // namespace selfnorm
