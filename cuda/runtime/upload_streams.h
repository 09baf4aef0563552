// What an upload lane asks of CUDA: a stream of its own for copies beside the queue's, page-locked memory and events.
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>

#include "upload_lane.h"

namespace selfnorm {

class UploadStreams {
 public:
  using Event = cudaEvent_t;

  UploadStreams(int device, cudaStream_t compute) : device_(device), compute_(compute) {}
  UploadStreams(UploadStreams&& other) noexcept;
  UploadStreams& operator=(UploadStreams&&) = delete;
  ~UploadStreams();

  bool allocate(size_t size, void*& host, void*& place, Event& arrived, Event& moved_on);
  void free(void* host, void* place, Event arrived, Event moved_on) noexcept;
  void copy_up(void* place, const void* host, size_t bytes);
  void record_up(Event event);
  void up_waits(Event event);
  void copy_on(void* to, const void* place, size_t bytes);
  void record_compute(Event event);
  void compute_waits(Event event);
  void host_waits(Event event) noexcept;

 private:
  int device_;
  cudaStream_t compute_;
  cudaStream_t up_ = nullptr;  // made with the first buffers
};

}  // namespace selfnorm
