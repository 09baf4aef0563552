#include "nvrtc.h"

#include <cuda_runtime_api.h>
#include <dlfcn.h>

#include <memory>
#include <type_traits>
#include <vector>

#include "../ops/op.h"

namespace selfnorm::nvrtc {
namespace {

using Handle = void*;

// NVRTC's functions as its header declares them; the header does not come with every toolkit.
struct Library {
  const char* (*error_string)(int);
  int (*version)(int*, int*);
  int (*supported_count)(int*);
  int (*supported)(int*);
  int (*create)(Handle*, const char*, const char*, int, const char* const*, const char* const*);
  int (*destroy)(Handle*);
  int (*compile)(Handle, int, const char* const*);
  int (*cubin_size)(Handle, size_t*);
  int (*cubin)(Handle, char*);
  int (*ptx_size)(Handle, size_t*);
  int (*ptx)(Handle, char*);
  int (*log_size)(Handle, size_t*);
  int (*log)(Handle, char*);
};

Library load() {
  // Node loaded it by full path before the addon, and the linker knows it by this name.
  const std::string name = "libnvrtc.so." + std::to_string(CUDART_VERSION / 1000);
  void* const library = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* const reason = dlerror();
    throw Error("ERR_CUDA", "NVRTC, which compiles formulas, could not be loaded: " +
                                std::string(reason == nullptr ? name : reason) +
                                "; npx selfnorm doctor says how to get it");
  }
  Library found{};
  const auto find = [&](auto& function, const char* symbol) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, symbol));
    if (function == nullptr) throw Error("ERR_CUDA", name + ": " + symbol + " is missing");
  };
  find(found.error_string, "nvrtcGetErrorString");
  find(found.version, "nvrtcVersion");
  find(found.supported_count, "nvrtcGetNumSupportedArchs");
  find(found.supported, "nvrtcGetSupportedArchs");
  find(found.create, "nvrtcCreateProgram");
  find(found.destroy, "nvrtcDestroyProgram");
  find(found.compile, "nvrtcCompileProgram");
  find(found.cubin_size, "nvrtcGetCUBINSize");
  find(found.cubin, "nvrtcGetCUBIN");
  find(found.ptx_size, "nvrtcGetPTXSize");
  find(found.ptx, "nvrtcGetPTX");
  find(found.log_size, "nvrtcGetProgramLogSize");
  find(found.log, "nvrtcGetProgramLog");
  return found;
}

// Loaded for good. What throws is tried again at the next call.
const Library& library() {
  static const Library loaded = load();
  return loaded;
}

void check(int status, const char* call) {
  if (status != 0) throw Error("ERR_CUDA", std::string(call) + ": " + library().error_string(status));
}

std::string text_of(Handle program, int (*size_of)(Handle, size_t*), int (*read)(Handle, char*), const char* call) {
  size_t size = 0;
  check(size_of(program, &size), call);
  std::string text(size, '\0');
  if (size > 0) check(read(program, text.data()), call);
  return text;
}

}  // namespace

std::string Target::option() const { return (code ? "sm_" : "compute_") + std::to_string(capability); }

std::string version() {
  int major = 0, minor = 0;
  check(library().version(&major, &minor), "nvrtcVersion");
  return std::to_string(major) + "." + std::to_string(minor);
}

Target target_for(int capability) {
  int count = 0;
  check(library().supported_count(&count), "nvrtcGetNumSupportedArchs");
  std::vector<int> supported(size_t(count), 0);
  if (count > 0) check(library().supported(supported.data()), "nvrtcGetSupportedArchs");
  int best = 0;
  for (const int one : supported) best = one <= capability && one > best ? one : best;
  if (best == 0)
    throw Error("ERR_CUDA", "NVRTC: expected a GPU that it compiles for, got capability " + std::to_string(capability));
  // Code runs on later GPUs of its generation; across generations only PTX does.
  return {best, best / 10 == capability / 10};
}

Compiled compile(const std::string& source, const Target& target, bool report) {
  const Library& nvrtc = library();
  Handle program = nullptr;
  check(nvrtc.create(&program, source.c_str(), "formula.cu", 0, nullptr, nullptr), "nvrtcCreateProgram");
  const auto destroy = [&nvrtc](Handle* held) { nvrtc.destroy(held); };
  const std::unique_ptr<Handle, decltype(destroy)> owner(&program, destroy);

  const std::string architecture = "--gpu-architecture=" + target.option();
  std::vector<const char*> options{architecture.c_str(), "--std=c++17"};
  if (report) options.push_back("--ptxas-options=-v");
  const int status = nvrtc.compile(program, int(options.size()), options.data());
  std::string log = text_of(program, nvrtc.log_size, nvrtc.log, "nvrtcGetProgramLog");
  if (status != 0)
    throw Error("ERR_CUDA", std::string("nvrtcCompileProgram: ") + nvrtc.error_string(status) + ": " + log);
  std::string code = target.code ? text_of(program, nvrtc.cubin_size, nvrtc.cubin, "nvrtcGetCUBIN")
                                 : text_of(program, nvrtc.ptx_size, nvrtc.ptx, "nvrtcGetPTX");
  return {std::move(code), std::move(log)};
}

}  // namespace selfnorm::nvrtc
