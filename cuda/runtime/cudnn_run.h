// A fused graph with its plan on a device, run on a queue's stream.
#pragma once

#include <optional>
#include <unordered_map>

#include "../ops/problem_key.h"
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

// What `make` prepared for `key` in this thread. A problem without a plan is remembered too: asking the heuristics
// takes milliseconds.
template <class Key, class Make>
const std::optional<Prepared>& remembered(const Key& key, size_t most, Make make) {
  thread_local std::unordered_map<Key, std::optional<Prepared>, ProblemHash<Key>, ProblemEqual<Key>> plans;
  const auto found = plans.find(key);
  if (found != plans.end()) return found->second;
  if (plans.size() >= most) plans.clear();
  return plans.emplace(key, make()).first->second;
}

// Within queue.enqueue. Workspace comes from the queue and goes back to it in stream order.
void run(Queue& queue, const Prepared& prepared, const Addresses& addresses);

// Runs the plan that `find` gives; false where there is none.
template <class Find>
bool run_found(Queue& queue, const Addresses& addresses, Find find) {
  bool ran = false;
  queue.enqueue([&] {
    const std::optional<Prepared>& prepared = find();
    if (!prepared) return;
    run(queue, *prepared, addresses);
    ran = true;
  });
  return ran;
}

}  // namespace selfnorm::cudnn
