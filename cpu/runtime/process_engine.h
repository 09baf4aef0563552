// What the CPU backend asks of the library that processes talk through. MPI's libraries differ in their binary
// interfaces, so the engine is a module of its own (cpu/mpi), built where MPI's headers are and loaded when a job asks
// for it; this is all that the two know of each other. No function throws; every call comes from one thread.
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {

enum SelfnormEngineDType { kSelfnormFloat32, kSelfnormFloat64, kSelfnormInt32, kSelfnormBytes };

// The engine keeps two orders apart: collectives that belong to the device's work, and messages between the hosts. Each
// of the two has to be the same on every rank; how they interleave does not matter.
enum SelfnormEnginePlane { kSelfnormWork, kSelfnormHosts };

struct SelfnormProcessEngine {
  int version;  // kSelfnormEngineVersion
  // Joins the job. Null, or what is wrong.
  const char* (*open)(int* rank, int* size);
  // Begin a collective on `count` elements and give its request; null: it failed. all_reduce sums in place.
  void* (*all_reduce)(int plane, void* data, size_t count, int dtype);
  void* (*broadcast)(int plane, void* data, size_t bytes, int root);
  // `bytes` of every rank, in their order.
  void* (*gather)(int plane, const void* mine, size_t bytes, void* all);
  // 1: done, and the request is gone; 0: not yet; -1: it failed.
  int (*done)(void* request);
  void (*close)();
  // Ends every process of the job.
  void (*abort)(int code);
  const char* (*library)();
};

inline constexpr int kSelfnormEngineVersion = 1;
// Bytes of one collective at most.
inline constexpr size_t kSelfnormMostBytes = size_t(1) << 30;

// The module's one export.
const SelfnormProcessEngine* selfnorm_process_engine();
}
