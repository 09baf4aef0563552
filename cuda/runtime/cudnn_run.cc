#include "cudnn_run.h"

#include <memory>
#include <unordered_map>

#include "cudnn_plan_cache.h"

namespace selfnorm::cudnn {
namespace {

// One a thread and device; never destroyed, since the driver may be gone when threads end.
const Target& target_of(int device) {
  thread_local std::unordered_map<int, Target> targets;
  const auto found = targets.find(device);
  if (found != targets.end()) return found->second;
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  Target target;
  target.name = std::string(properties.name) + ", " + std::to_string(properties.major) + "." +
                std::to_string(properties.minor) + ", " + std::to_string(properties.multiProcessorCount) +
                " multiprocessors";
  check(cudnnCreate(&target.handle), "cudnnCreate");
  return targets.emplace(device, std::move(target)).first->second;
}

const PlanFiles& plan_files() {
  static const PlanFiles files(PlanFiles::default_folder());
  return files;
}

}  // namespace

int64_t Addresses::alignment(int64_t least) const {
  constexpr uintptr_t kWide = 16;
  uintptr_t bits = 0;
  for (const void* address : {first, second, static_cast<const void*>(output), bias, saved,
                              static_cast<const void*>(pre), static_cast<const void*>(sums)}) {
    bits |= reinterpret_cast<uintptr_t>(address);
  }
  return bits % kWide == 0 ? int64_t(kWide) : least;
}

std::optional<Prepared> prepare(int device, std::optional<FusedGraph> fused, const Requirements& requirements) {
  if (!fused) return std::nullopt;
  std::optional<Plan> plan = cached_plan(target_of(device), fused->graph, requirements, plan_files());
  if (!plan) return std::nullopt;
  return Prepared{std::move(*fused), std::move(*plan)};
}

void run(Queue& queue, const Prepared& prepared, const Addresses& a) {
  const FusedGraph& fused = prepared.fused;
  std::vector<int64_t> ids;
  std::vector<void*> addresses;
  const auto add = [&](TensorId id, const void* address) {
    if (id < 0) return;
    ids.push_back(id);
    addresses.push_back(const_cast<void*>(address));
  };
  add(fused.first, a.first);
  add(fused.second, a.second);
  add(fused.output, a.output);
  add(fused.bias, a.bias);
  add(fused.saved, a.saved);
  add(fused.pre, a.pre);
  add(fused.sums, a.sums);
  // Numbers travel by value, read from the host when this is launched or recorded.
  const std::vector<GraphTensor>& tensors = fused.graph.tensors();
  for (size_t id = 0; id < tensors.size(); ++id) {
    if (tensors[id].is_scalar) add(TensorId(id), &tensors[id].value);
  }
  std::unique_ptr<Scratch> workspace;
  if (prepared.plan.workspace() > 0) workspace = std::make_unique<Scratch>(queue, prepared.plan.workspace());
  const cudnnHandle_t handle = target_of(queue.device()).handle;
  check(cudnnSetStream(handle, queue.stream()), "cudnnSetStream");
  prepared.plan.run(handle, ids, addresses, workspace ? workspace->as<void>() : nullptr);
}

}  // namespace selfnorm::cudnn
