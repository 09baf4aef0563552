// A driver library without a driver, so that cuDNN plans and compiles for a GPU that is not there. Loading a compiled
// kernel and setting its attributes succeed; everything else says that it is a stub, as NVIDIA's own link stub does.
// The names come from cuda.h when this is built (CMakeLists.txt).
extern "C" {

enum { kSuccess = 0, kStubLibrary = 34, kVersion = 13000 };

static int answer_stub() { return kStubLibrary; }

#define SN_ENTRY_POINT(name) \
  int name() { return kStubLibrary; }
#include "entry_points.inc"

int cuDriverGetVersion(int* version) { return *version = kVersion, kSuccess; }
int cuGetErrorName(int, const char** text) { return *text = "stub", kSuccess; }
int cuGetErrorString(int, const char** text) { return *text = "stub", kSuccess; }

// Handles are never looked into; they have to differ from null alone.
int cuLibraryLoadData(void** library, const void*) { return *library = library, kSuccess; }
int cuLibraryGetKernel(void** kernel, void*, const char*) { return *kernel = kernel, kSuccess; }
int cuLibraryUnload(void*) { return kSuccess; }
int cuKernelGetFunction(void** function, void*) { return *function = function, kSuccess; }
int cuKernelGetAttribute(int* value) { return *value = 0, kSuccess; }
int cuKernelSetAttribute() { return kSuccess; }
int cuFuncGetAttribute(int* value) { return *value = 0, kSuccess; }
int cuFuncSetAttribute() { return kSuccess; }
int cuModuleLoadData(void** module, const void*) { return *module = module, kSuccess; }
int cuModuleLoadDataEx(void** module, const void*) { return *module = module, kSuccess; }
int cuModuleGetFunction(void** function, void*, const char*) { return *function = function, kSuccess; }
int cuModuleUnload(void*) { return kSuccess; }

int cuGetProcAddress_v2(const char*, void** address, int, unsigned long long, int* found) {
  *address = reinterpret_cast<void*>(answer_stub);
  if (found) *found = 0;
  return kSuccess;
}

}  // extern "C"
