// What the addon exports for work that several processes share.
#pragma once

#include <node_api.h>

namespace selfnorm {

// Collectives of tensors, the same for every backend.
void add_collective_exports(napi_env env, napi_value exports);

// How a process joins its job: by the engine of the backend (binding/mpi.cc for the CPU, binding/nccl.cc for CUDA).
void add_engine_exports(napi_env env, napi_value exports);

}  // namespace selfnorm
