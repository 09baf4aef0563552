// A CUDA status as an Error: the call, CUDA's own name for the failure and its text.
#pragma once

#include <cuda_runtime_api.h>

#include <string>

#include "../ops/op.h"

namespace selfnorm {

// A fault inside a kernel: every later call of the process fails in the same way.
inline bool context_is_lost(cudaError_t status) {
  switch (status) {
    case cudaErrorECCUncorrectable:
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchTimeout:
    case cudaErrorAssert:
    case cudaErrorHardwareStackError:
    case cudaErrorIllegalInstruction:
    case cudaErrorMisalignedAddress:
    case cudaErrorInvalidAddressSpace:
    case cudaErrorInvalidPc:
    case cudaErrorLaunchFailure: return true;
    default: return false;
  }
}

// Out of memory is a code of its own: the binding frees what it can and tries again.
inline void check_cuda(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  // The runtime remembers a failure until it is asked; the next call is to be judged on its own.
  cudaGetLastError();
  throw Error(status == cudaErrorMemoryAllocation ? "ERR_OUT_OF_MEMORY" : "ERR_CUDA",
              std::string(call) + ": " + cudaGetErrorName(status) + ": " + cudaGetErrorString(status) +
                  (context_is_lost(status) ? "; the device is lost to this process: start it again" : ""));
}

// Makes `device` the calling thread's. Asked before every launch, so the answer is kept: nothing else in the process
// uses this copy of the CUDA runtime, which is linked statically.
inline void use_device(int device) {
  thread_local int current = -1;
  if (current == device) return;
  check_cuda(cudaSetDevice(device), "cudaSetDevice");
  current = device;
}

}  // namespace selfnorm
