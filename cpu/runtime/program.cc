#include "program.h"

#include <utility>

namespace selfnorm {
namespace {

// Takes this thread's launches for a scope.
class Capture {
 public:
  explicit Capture(LaunchList& list) { launches_under_capture = &list; }
  ~Capture() { launches_under_capture = nullptr; }
  Capture(const Capture&) = delete;
  Capture& operator=(const Capture&) = delete;
};

}  // namespace

Program::Program(Queue& queue, std::vector<RecordedCall> calls) : queue_(queue), calls_(std::move(calls)) {
  LaunchList counted;
  for (RecordedCall& call : calls_) {
    if (call.bindings.empty()) {
      const size_t first = launches_.size();
      const Capture capture(launches_);
      call(queue_);
      const bool follows = !steps_.empty() && steps_.back().call == nullptr;
      if (follows)
        steps_.back().end = launches_.size();
      else
        steps_.push_back({first, launches_.size(), nullptr});
    } else {
      const Capture capture(counted);
      call(queue_);
      steps_.push_back({0, 0, &call});
    }
  }
  launch_count_ = int64_t(launches_.size() + counted.size());
}

void Program::replay(std::span<void* const> arguments) {
  for (const Step& step : steps_) {
    if (step.call != nullptr)
      (*step.call)(queue_, arguments);
    else
      launches_.run(step.first, step.end);
  }
}

}  // namespace selfnorm
