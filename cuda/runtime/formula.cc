#include "formula.h"

#include <mutex>
#include <unordered_map>

#include "cudnn_plan_file.h"
#include "formula_source.h"
#include "launch.h"
#include "nvrtc.h"

namespace selfnorm::SN_BUILD {
namespace {

// The driver's functions that load and launch code of one's own. Declared here, as not every toolkit has cuda.h.
struct Driver {
  int (*library_load)(void** library, const void* code, void*, void*, unsigned, void*, void*, unsigned);
  int (*library_kernel)(void** kernel, void* library, const char* name);
  int (*launch)(void* kernel, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned shared, void* stream,
                void** parameters, void** extra);
  int (*error_name)(int status, const char** name);
};

void* entry_point(const char* name) {
  void* address = nullptr;
  cudaDriverEntryPointQueryResult found{};
#if CUDART_VERSION >= 12050
  constexpr int kSince = 12000;
  check_cuda(cudaGetDriverEntryPointByVersion(name, &address, kSince, cudaEnableDefault, &found),
             "cudaGetDriverEntryPointByVersion");
#else
  check_cuda(cudaGetDriverEntryPoint(name, &address, cudaEnableDefault, &found), "cudaGetDriverEntryPoint");
#endif
  if (found != cudaDriverEntryPointSuccess) throw Error("ERR_CUDA", std::string(name) + ": not in this driver");
  return address;
}

const Driver& driver() {
  static const Driver functions{
      reinterpret_cast<decltype(Driver::library_load)>(entry_point("cuLibraryLoadData")),
      reinterpret_cast<decltype(Driver::library_kernel)>(entry_point("cuLibraryGetKernel")),
      reinterpret_cast<decltype(Driver::launch)>(entry_point("cuLaunchKernel")),
      reinterpret_cast<decltype(Driver::error_name)>(entry_point("cuGetErrorName")),
  };
  return functions;
}

void check_driver(int status, const char* call) {
  if (status == 0) return;
  constexpr int kOutOfMemory = 2;
  const char* name = nullptr;
  driver().error_name(status, &name);
  throw Error(status == kOutOfMemory ? "ERR_OUT_OF_MEMORY" : "ERR_CUDA",
              std::string(call) + ": " + (name == nullptr ? std::to_string(status) : std::string(name)));
}

int capability_of(int device) {
  int major = 0, minor = 0;
  check_cuda(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device), "cudaDeviceGetAttribute");
  check_cuda(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device), "cudaDeviceGetAttribute");
  return 10 * major + minor;
}

// Beside the plans of cuDNN.
const cudnn::PlanFiles& kernel_files() {
  static const cudnn::PlanFiles files([] {
    const std::filesystem::path plans = cudnn::PlanFiles::default_folder();
    return plans.empty() ? plans : plans.parent_path() / "formulas";
  }());
  return files;
}

void* load_kernel(const std::string& code) {
  void *library = nullptr, *kernel = nullptr;
  check_driver(driver().library_load(&library, code.data(), nullptr, nullptr, 0, nullptr, nullptr, 0),
               "cuLibraryLoadData");
  check_driver(driver().library_kernel(&kernel, library, "formula"), "cuLibraryGetKernel");
  return kernel;
}

void* make_kernel(const FormulaCode& code, DType dtype, int capability) {
  const std::string source = formula_source(code, dtype);
  const nvrtc::Target target = nvrtc::target_for(capability);
  const std::string key = "nvrtc " + nvrtc::version() + '\n' + target.option() + '\n' + source;
  if (const std::optional<std::string> kept = kernel_files().read(key)) {
    try {
      return load_kernel(*kept);
    } catch (const Error&) {
      // What the driver refuses is compiled again like any other, and the file replaced.
    }
  }
  const nvrtc::Compiled compiled = nvrtc::compile(source, target);
  void* const kernel = load_kernel(compiled.code);
  kernel_files().write(key, compiled.code);
  return kernel;
}

// Everything but the numbers: they come with the launch.
std::string key_of(const FormulaCode& code, DType dtype, int capability) {
  std::string key;
  for (const int number : {int(dtype), capability, code.inputs, code.registers, code.constant_count}) {
    key += std::to_string(number) + ' ';
  }
  for (int i = 0; i < code.instruction_count; ++i) {
    const FormulaInstruction& instruction = code.instructions[i];
    key += char(instruction.op);
    key += char(instruction.result);
    for (int k = 0; k < operand_count(instruction.op); ++k) key += char(instruction.operands[k]);
  }
  return key;
}

// Kernels belong to no device: the driver loads them where they are launched. They stay until the process ends.
void* kernel_of(const FormulaCode& code, DType dtype, int device) {
  static std::mutex mutex;
  static auto* const kernels = new std::unordered_map<std::string, void*>;
  thread_local std::unordered_map<int, int> capabilities;
  int& capability = capabilities[device];
  if (capability == 0) capability = capability_of(device);
  const std::string key = key_of(code, dtype, capability);
  const std::lock_guard lock(mutex);
  const auto found = kernels->find(key);
  if (found != kernels->end()) return found->second;
  return kernels->emplace(key, make_kernel(code, dtype, capability)).first->second;
}

bool aligned_to_pack(const void* pointer) { return (reinterpret_cast<uintptr_t>(pointer) & 15) == 0; }

}  // namespace

void launch_formula(Queue& queue, const FormulaCode& code, DType dtype, int64_t n, void* output,
                    const void* const* inputs) {
  if (n == 0) return;
  const int width = formula_pack(dtype);
  bool packed = aligned_to_pack(output);
  for (int i = 0; i < code.inputs; ++i) packed = packed && aligned_to_pack(inputs[i]);
  const Grid grid = elements(n, cost_of(code), packed ? width : 1);

  long long count = n, packs = packed ? n / width : 0;
  float singles[kMostFormulaConstants] = {};
  for (int i = 0; i < code.constant_count; ++i) singles[i] = float(code.constants[i]);
  double doubles[kMostFormulaConstants] = {};
  for (int i = 0; i < code.constant_count; ++i) doubles[i] = code.constants[i];
  const void* pointers[kMostFormulaInputs] = {};
  void* parameters[4 + kMostFormulaInputs] = {
      &count, &packs, dtype == DType::kFloat64 ? static_cast<void*>(doubles) : singles, &output};
  for (int i = 0; i < code.inputs; ++i) {
    pointers[i] = inputs[i];
    parameters[4 + i] = &pointers[i];
  }
  queue.enqueue([&] {
    void* const kernel = kernel_of(code, dtype, queue.device());
    check_driver(driver().launch(kernel, unsigned(grid.blocks), 1, 1, unsigned(grid.block), 1, 1, 0, queue.stream(),
                                 parameters, nullptr),
                 "cuLaunchKernel");
  });
}

}  // namespace selfnorm::SN_BUILD
