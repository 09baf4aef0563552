// A CUDA library's status as an Error: the call, the library's own name for the failure and its text.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "../ops/op.h"

namespace selfnorm {

// Out of memory is a code of its own: the binding frees what it can and tries again.
inline void check_cuda(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  // Sticky errors are kept by the runtime; a plain one is cleared so that the next call is judged on its own.
  cudaGetLastError();
  throw Error(status == cudaErrorMemoryAllocation ? "ERR_OUT_OF_MEMORY" : "ERR_CUDA",
              std::string(call) + ": " + cudaGetErrorName(status) + ": " + cudaGetErrorString(status));
}

}  // namespace selfnorm
