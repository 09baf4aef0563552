// A call of an op as a Program keeps it: with the addresses it will run on, and the memory it takes between its
// launches.
#pragma once

#include <cstddef>
#include <vector>

#include "op.h"

namespace selfnorm {

// The memory an op takes between its launches (Scratch): first its sizes are noted, then it is handed out from a
// Program's arena in the same order.
class ScratchPlan {
 public:
  const std::vector<size_t>& sizes() const { return sizes_; }
  void put(std::vector<void*> places) {
    places_ = std::move(places);
    planned_ = true;
  }
  // The place of the next piece; null while sizes are noted.
  void* take(size_t bytes) {
    if (!planned_) {
      sizes_.push_back(bytes);
      return nullptr;
    }
    if (next_ >= sizes_.size() || sizes_[next_] != bytes) {
      throw Error("ERR_INTERNAL", "program: expected an op to take the memory that it took when it was recorded");
    }
    return places_[next_++];
  }
  void begin() { next_ = 0; }

 private:
  std::vector<size_t> sizes_;
  std::vector<void*> places_;
  size_t next_ = 0;
  bool planned_ = false;
};

// Of the call that this thread runs for a Program; null outside of Programs.
inline thread_local ScratchPlan* scratch_plan = nullptr;

// Sets it for a scope.
class ScratchScope {
 public:
  explicit ScratchScope(ScratchPlan& plan) {
    plan.begin();
    scratch_plan = &plan;
  }
  ~ScratchScope() { scratch_plan = nullptr; }
  ScratchScope(const ScratchScope&) = delete;
  ScratchScope& operator=(const ScratchScope&) = delete;
};

// Work that is not part of the call, such as measuring which engine is fastest: its memory is not the Program's.
class OutsideOfPlan {
 public:
  OutsideOfPlan() : plan_(scratch_plan) { scratch_plan = nullptr; }
  ~OutsideOfPlan() { scratch_plan = plan_; }
  OutsideOfPlan(const OutsideOfPlan&) = delete;
  OutsideOfPlan& operator=(const OutsideOfPlan&) = delete;

 private:
  ScratchPlan* plan_;
};

// An operand whose memory comes with each replay: an argument of the Program or one of its results.
struct Binding {
  size_t operand;  // inputs first, then outputs
  size_t argument;
  size_t offset;  // in bytes
};

struct RecordedCall {
  OpFunction run;
  std::vector<View> operands;  // inputs first, then outputs
  size_t inputs;
  std::vector<double> params;
  std::vector<Binding> bindings;
  ScratchPlan scratch;

  void operator()(Queue& queue) {
    const ScratchScope scope(scratch);
    const std::span<const View> all = operands;
    run({queue, all.first(inputs), all.subspan(inputs), std::span<const double>(params)});
  }
  // With the addresses that came with a replay.
  void operator()(Queue& queue, std::span<void* const> arguments) {
    for (const Binding& binding : bindings) {
      operands[binding.operand].data = static_cast<char*>(arguments[binding.argument]) + binding.offset;
    }
    (*this)(queue);
  }
};

}  // namespace selfnorm
