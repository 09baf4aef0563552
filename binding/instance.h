// What one JavaScript thread has of the addon: its tensors, its queues and the frame through which arguments pass. Held
// as instance data, so that several loads and worker threads do not meet.
#pragma once

#include <memory>
#include <vector>

#include "programs.h"
#include "recording.h"
#include "tensor_table.h"

namespace selfnorm {

// Arguments travel in a Float64Array that both sides see: reading numbers from memory costs nothing, where Node-API
// takes 20 to 30 ns for each.
inline constexpr size_t kFrameLength = 4096;

struct Instance {
  explicit Instance(napi_env env) : tensors(env) {}

  std::vector<std::unique_ptr<Queue>> queues;  // outlives the tensors, whose memory it takes back
  TensorTable tensors;
  std::unique_ptr<Recording> recording;  // of the step that is being recorded
  ProgramList programs;
  double* frame = nullptr;
  napi_ref frame_reference = nullptr;
};

Instance& instance_of(napi_env env);

// Turns the C++ exception in flight into a pending JavaScript exception with its code. Call in a catch block.
void throw_to_javascript(napi_env env);

// The functions of call.cc, on the hot path and therefore in plain Node-API.
napi_value call_op(napi_env env, napi_callback_info info);
napi_value alias_tensor(napi_env env, napi_callback_info info);
napi_value dispose_tensor(napi_env env, napi_callback_info info);

}  // namespace selfnorm
