// A fused graph with its plan on a device, run on a queue's stream.
#pragma once

#include "cudnn_graphs.h"
#include "cudnn_plan.h"
#include "queue.h"

namespace selfnorm::cudnn {

struct Prepared {
  FusedGraph fused;
  Plan plan;
};

// By role; null where the graph has no such tensor.
struct Addresses {
  const void *first = nullptr, *second = nullptr;
  void* output = nullptr;
  const void *bias = nullptr, *saved = nullptr;
  void* pre = nullptr;
  void* sums = nullptr;

  // What all of them are multiples of, as far as it matters: engines make use of 16 bytes.
  int64_t alignment(int64_t least) const;
};

// With a plan from disk or a new one; none without a graph or where cuDNN has no plan for it. May take seconds.
std::optional<Prepared> prepare(int device, std::optional<FusedGraph> fused, const Requirements& requirements);

// Within queue.enqueue. Workspace comes from the queue and goes back to it in stream order.
void run(Queue& queue, const Prepared& prepared, const Addresses& addresses);

}  // namespace selfnorm::cudnn
