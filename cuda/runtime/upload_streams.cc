#include "upload_streams.h"

#include <utility>

#include "status.h"

namespace selfnorm {

UploadStreams::UploadStreams(UploadStreams&& other) noexcept
    : device_(other.device_), compute_(other.compute_), up_(std::exchange(other.up_, nullptr)) {}

UploadStreams::~UploadStreams() {
  if (up_ == nullptr) return;
  cudaSetDevice(device_);
  cudaStreamDestroy(up_);
}

bool UploadStreams::allocate(size_t size, void*& host, void*& place, Event& arrived, Event& moved_on) {
  use_device(device_);
  if (up_ == nullptr) {
    check_cuda(cudaStreamCreateWithFlags(&up_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  }
  host = place = nullptr;
  arrived = moved_on = nullptr;
  // The host sleeps while it waits for a copy to leave its buffer.
  constexpr unsigned kArrived = cudaEventDisableTiming | cudaEventBlockingSync;
  const bool done = cudaMallocHost(&host, size) == cudaSuccess && cudaMalloc(&place, size) == cudaSuccess &&
                    cudaEventCreateWithFlags(&arrived, kArrived) == cudaSuccess &&
                    cudaEventCreateWithFlags(&moved_on, cudaEventDisableTiming) == cudaSuccess;
  if (!done) {
    free(host, place, arrived, moved_on);
    cudaGetLastError();
  }
  return done;
}

void UploadStreams::free(void* host, void* place, Event arrived, Event moved_on) noexcept {
  cudaSetDevice(device_);
  if (host != nullptr) cudaFreeHost(host);
  if (place != nullptr) cudaFree(place);
  if (arrived != nullptr) cudaEventDestroy(arrived);
  if (moved_on != nullptr) cudaEventDestroy(moved_on);
}

void UploadStreams::copy_up(void* place, const void* host, size_t bytes) {
  check_cuda(cudaMemcpyAsync(place, host, bytes, cudaMemcpyHostToDevice, up_), "cudaMemcpyAsync");
}
void UploadStreams::record_up(Event event) { check_cuda(cudaEventRecord(event, up_), "cudaEventRecord"); }
void UploadStreams::up_waits(Event event) { check_cuda(cudaStreamWaitEvent(up_, event, 0), "cudaStreamWaitEvent"); }

void UploadStreams::copy_on(void* to, const void* place, size_t bytes) {
  check_cuda(cudaMemcpyAsync(to, place, bytes, cudaMemcpyDeviceToDevice, compute_), "cudaMemcpyAsync");
}
void UploadStreams::record_compute(Event event) { check_cuda(cudaEventRecord(event, compute_), "cudaEventRecord"); }
void UploadStreams::compute_waits(Event event) {
  check_cuda(cudaStreamWaitEvent(compute_, event, 0), "cudaStreamWaitEvent");
}

// What went wrong on the device is told by the next call that is checked.
void UploadStreams::host_waits(Event event) noexcept { cudaEventSynchronize(event); }

}  // namespace selfnorm
