// The few functions of NCCL that we call, by its C interface, which has been the same since its version 2: the library
// is found and loaded when a job asks for it, so nothing of it is needed to build.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <string>

namespace selfnorm {

struct NcclId {
  char bytes[128];
};
using NcclComm = struct ncclComm*;

// ncclDataType_t and ncclRedOp_t
enum NcclType : int {
  kNcclUint8 = 1,
  kNcclInt32 = 2,
  kNcclFloat16 = 6,
  kNcclFloat32 = 7,
  kNcclFloat64 = 8,
  kNcclBfloat16 = 9
};
inline constexpr int kNcclSum = 0;

struct Nccl {
  int (*get_version)(int* version);
  int (*get_unique_id)(NcclId* id);
  int (*init_rank)(NcclComm* comm, int size, NcclId id, int rank);
  int (*destroy)(NcclComm comm);
  int (*all_reduce)(const void* from, void* to, size_t count, int type, int op, NcclComm comm, cudaStream_t stream);
  int (*broadcast)(const void* from, void* to, size_t count, int type, int root, NcclComm comm, cudaStream_t stream);
  const char* (*error_string)(int status);
};

// Loads the library, by its path or its name alone. Throws Error saying what to install.
const Nccl& load_nccl(const std::string& library);
// Throws Error with NCCL's own words for a call that failed.
void check_nccl(const Nccl& nccl, int status, const char* call);

}  // namespace selfnorm
