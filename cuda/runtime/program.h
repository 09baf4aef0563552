// A recorded Program on CUDA: a graph captured from the queue's stream. cpu/runtime/program.h has the same names over a
// list of launches.
#pragma once

#include <span>
#include <vector>

#include "../ops/recorded_call.h"
#include "queue.h"

namespace selfnorm {

class Program {
 public:
  // A graph's addresses are fixed: arguments and results have places in the arena and are copied there and back.
  static constexpr bool kBindsArguments = false;
  static constexpr size_t kAlignment = 256;

  // Captures the calls, whose operands have their planned addresses.
  Program(Queue& queue, std::vector<RecordedCall> calls);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  void replay(std::span<void* const> arguments);
  // Nodes of the graph: kernels, copies and fills.
  int64_t launches() const { return nodes_; }

 private:
  Queue& queue_;
  std::vector<RecordedCall> calls_;
  cudaGraphExec_t executable_ = nullptr;
  int64_t nodes_ = 0;
};

}  // namespace selfnorm
