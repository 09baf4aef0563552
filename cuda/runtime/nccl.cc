#include "nccl.h"

#include <dlfcn.h>

#include "../ops/op.h"

namespace selfnorm {

const Nccl& load_nccl(const std::string& library) {
  static Nccl nccl{};
  if (nccl.error_string != nullptr) return nccl;
  void* const handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    throw Error("ERR_DEVICE", std::string("distributed: NCCL could not be loaded: ") + dlerror() +
                                  "; get it with: pip install nvidia-nccl-cu13 (CUDA 12: nvidia-nccl-cu12)");
  }
  Nccl found{};
  const auto get = [&](auto& function, const char* name) {
    void* const address = dlsym(handle, name);
    if (address == nullptr) {
      throw Error("ERR_DEVICE",
                  std::string("distributed: ") + library + " has no " + name + "; NCCL 2.9 or newer is needed");
    }
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
  };
  get(found.get_version, "ncclGetVersion");
  get(found.get_unique_id, "ncclGetUniqueId");
  get(found.init_rank, "ncclCommInitRank");
  get(found.destroy, "ncclCommDestroy");
  get(found.all_reduce, "ncclAllReduce");
  get(found.broadcast, "ncclBroadcast");
  get(found.error_string, "ncclGetErrorString");
  nccl = found;
  return nccl;
}

void check_nccl(const Nccl& nccl, int status, const char* call) {
  if (status == 0) return;
  throw Error("ERR_CUDA", std::string("distributed: ") + call + ": " + nccl.error_string(status));
}

}  // namespace selfnorm
