// A recorded Program on the CPU: the list of its launches, run on the queue's worker. Calls on memory that comes with a
// replay are dispatched anew with its address, so arguments and results are not copied. cuda/runtime/program.h has the
// same names over a CUDA graph.
#pragma once

#include <span>
#include <vector>

#include "../../cuda/ops/recorded_call.h"
#include "launch_list.h"
#include "queue.h"

namespace selfnorm {

class Program {
 public:
  // Arguments and results stay where they are; otherwise they have places in the arena and are copied.
  static constexpr bool kBindsArguments = true;
  static constexpr size_t kAlignment = 64;

  // Captures the calls, whose operands have their planned addresses.
  Program(Queue& queue, std::vector<RecordedCall> calls);

  // Runs the Program in the queue's turn.
  void replay(std::span<void* const> arguments);
  int64_t launches() const { return launch_count_; }

 private:
  // Launches from `first` to `end`, or the call of that number.
  struct Step {
    size_t first, end;
    RecordedCall* call;
  };

  Queue& queue_;
  std::vector<RecordedCall> calls_;
  LaunchList launches_;
  std::vector<Step> steps_;
  int64_t launch_count_ = 0;
};

}  // namespace selfnorm
