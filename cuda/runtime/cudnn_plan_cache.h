// Plans made once for a machine: compiled ones are kept on disk and restored, in a millisecond instead of up to
// seconds.
#pragma once

#include "cudnn_plan.h"
#include "cudnn_plan_file.h"

namespace selfnorm::cudnn {

// All that a plan depends on: library, device, graph, requirements.
std::string plan_key(const Target& target, const Graph& graph, const Requirements& requirements);

// From the files, else made, and kept there if a kernel was compiled for it. None as Plan::find.
std::optional<Plan> cached_plan(const Target& target, const Graph& graph, const Requirements& requirements,
                                const PlanFiles& files);

}  // namespace selfnorm::cudnn
