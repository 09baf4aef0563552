#include "cudnn_plan_cache.h"

namespace selfnorm::cudnn {

std::string plan_key(const Target& target, const Graph& graph, const Requirements& requirements) {
  return "cudnn " + std::to_string(cudnnGetVersion()) + '\n' + target.name + '\n' +
         (requirements.strict_float32 ? "strict float32\n" : "") +
         (requirements.tensor_cores_only ? "tensor cores\n" : "") + "workspace " +
         std::to_string(requirements.workspace) + '\n' + graph.text();
}

std::optional<Plan> cached_plan(const Target& target, const Graph& graph, const Requirements& requirements,
                                const PlanFiles& files) {
  const std::string key = plan_key(target, graph, requirements);
  if (const std::optional<std::string> json = files.read(key)) {
    // What cuDNN refuses is made again like any other, and the file replaced.
    if (std::optional<Plan> plan = Plan::restore(target, *json)) {
      if (plan->workspace() <= requirements.workspace) return plan;
    }
  }
  std::optional<Plan> plan = Plan::find(target, graph, requirements);
  if (plan && plan->compiled()) files.write(key, plan->json());
  return plan;
}

}  // namespace selfnorm::cudnn
