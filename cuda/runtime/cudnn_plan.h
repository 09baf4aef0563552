// Execution plans: a graph, the engine that cuDNN chooses for it on one device, and the kernel it compiles. No
// attribute newer than cuDNN 9.19 is used.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cudnn_descriptor.h"
#include "cudnn_graph.h"

namespace selfnorm::cudnn {

// Where a plan is to run: the device of a handle, or one that is only described. Plans for such a device can be made,
// not run.
struct Target {
  cudnnHandle_t handle = nullptr;
  const Descriptor* properties = nullptr;
  std::string name;  // all that tells one device's plans from another's
};

struct Requirements {
  bool strict_float32 = false;     // no engine that rounds float32 operands to fewer bits
  bool tensor_cores_only = false;  // an engine without them would be slower than a plain product and one more pass
  size_t workspace = 0;            // most bytes of workspace
};

// A plan that is ready to run.
class Plan {
 public:
  // The best deterministic engine by cuDNN's heuristic and then its fallback list; none if no engine meets the
  // requirements. Takes up to seconds where a kernel is compiled.
  static std::optional<Plan> find(const Target& target, const Graph& graph, const Requirements& requirements);
  // A plan that json() described, for the same graph and device; none where cuDNN does not take it.
  static std::optional<Plan> restore(const Target& target, const std::string& json);

  std::string json() const;
  // Whether its kernel was compiled for this graph: such plans are worth keeping.
  bool compiled() const { return compiled_; }
  // cuDNN's number of the engine; -1 of a restored plan.
  int64_t engine() const { return engine_; }
  size_t workspace() const { return workspace_; }
  // `ids` and `addresses` in one order. Runs on the handle's stream.
  void run(cudnnHandle_t handle, const std::vector<int64_t>& ids, const std::vector<void*>& addresses,
           void* workspace) const;

 private:
  explicit Plan(Descriptor plan);

  Descriptor plan_;
  size_t workspace_ = 0;
  bool compiled_ = false;
  int64_t engine_ = -1;
};

}  // namespace selfnorm::cudnn
