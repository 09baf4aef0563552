// The Programs of one JavaScript thread. A Program's handle is a JavaScript object that owns it; replays under way hold
// on to what they use.
#pragma once

#include <node_api.h>

#include <memory>
#include <vector>

namespace selfnorm {

struct RecordedProgram;

class ProgramList {
 public:
  void add(const std::shared_ptr<RecordedProgram>& program) { programs_.push_back(program); }
  // Those whose handles are alive.
  std::vector<std::shared_ptr<RecordedProgram>> alive();

 private:
  std::vector<std::weak_ptr<RecordedProgram>> programs_;
};

// Adds the functions of Programs to the addon's exports.
void add_program_exports(napi_env env, napi_value exports);

// What a Program's handle says of itself: {launches, arenaBytes, liveBytes}.
napi_value program_facts(napi_env env, const RecordedProgram& program);

}  // namespace selfnorm
