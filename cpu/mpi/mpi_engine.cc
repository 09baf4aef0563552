// MPI as the engine between processes. Only non-blocking collectives: whoever calls looks at several at once and sleeps
// in between, so that a rank that waits takes no processor from those that compute.
#define OMPI_SKIP_MPICXX 1
#define MPICH_SKIP_MPICXX 1
#include <mpi.h>

#include <string>

#include "../runtime/process_engine.h"

namespace {

MPI_Comm planes[2] = {MPI_COMM_NULL, MPI_COMM_NULL};

MPI_Datatype datatype(int dtype) {
  switch (dtype) {
    case kSelfnormFloat32: return MPI_FLOAT;
    case kSelfnormFloat64: return MPI_DOUBLE;
    case kSelfnormInt32: return MPI_INT32_T;
    default: return MPI_BYTE;
  }
}

const char* explain(const char* call, int status) {
  static std::string text;
  char reason[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(status, reason, &length);
  text = std::string(call) + ": " + std::string(reason, size_t(length));
  return text.c_str();
}

const char* open(int* rank, int* size) {
  int given = 0;
  // The thread that makes this call makes all others.
  int status = MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given);
  if (status != MPI_SUCCESS) return explain("MPI_Init_thread", status);
  if (given < MPI_THREAD_FUNNELED)
    return "MPI_Init_thread: this MPI library was built for programs of one thread alone";
  for (MPI_Comm& plane : planes) {
    status = MPI_Comm_dup(MPI_COMM_WORLD, &plane);
    if (status != MPI_SUCCESS) return explain("MPI_Comm_dup", status);
  }
  MPI_Comm_rank(MPI_COMM_WORLD, rank);
  MPI_Comm_size(MPI_COMM_WORLD, size);
  return nullptr;
}

// A request on the heap for what `collective` begins.
template <class Collective>
void* begin(Collective collective) {
  MPI_Request request = MPI_REQUEST_NULL;
  return collective(&request) == MPI_SUCCESS ? new MPI_Request(request) : nullptr;
}

void* all_reduce(int plane, void* data, size_t count, int dtype) {
  return begin([&](MPI_Request* request) {
    return MPI_Iallreduce(MPI_IN_PLACE, data, int(count), datatype(dtype), MPI_SUM, planes[plane], request);
  });
}

void* broadcast(int plane, void* data, size_t bytes, int root) {
  return begin(
      [&](MPI_Request* request) { return MPI_Ibcast(data, int(bytes), MPI_BYTE, root, planes[plane], request); });
}

void* gather(int plane, const void* mine, size_t bytes, void* all) {
  return begin([&](MPI_Request* request) {
    return MPI_Iallgather(mine, int(bytes), MPI_BYTE, all, int(bytes), MPI_BYTE, planes[plane], request);
  });
}

int done(void* handle) {
  auto* const request = static_cast<MPI_Request*>(handle);
  int flag = 0;
  const int status = MPI_Test(request, &flag, MPI_STATUS_IGNORE);
  if (status == MPI_SUCCESS && flag == 0) return 0;
  delete request;
  return status == MPI_SUCCESS ? 1 : -1;
}

void close() {
  for (MPI_Comm& plane : planes) MPI_Comm_free(&plane);
  MPI_Finalize();
}

void abort(int code) { MPI_Abort(MPI_COMM_WORLD, code); }

const char* library() {
  static std::string text;
  char version[MPI_MAX_LIBRARY_VERSION_STRING];
  int length = 0;
  MPI_Get_library_version(version, &length);
  text.assign(version, size_t(length));
  return text.c_str();
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const SelfnormProcessEngine* selfnorm_process_engine() {
  static const SelfnormProcessEngine engine = {
      kSelfnormEngineVersion, open, all_reduce, broadcast, gather, done, close, abort, library};
  return &engine;
}
