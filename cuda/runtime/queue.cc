#include "queue.h"

#include <cstring>

#include "libraries.h"

namespace selfnorm {

namespace cuda {
const OpTable& op_table();
}

const OpTable& Queue::ops() { return cuda::op_table(); }

std::vector<DeviceInfo> Queue::devices() {
  int count = 0;
  check_cuda(cudaGetDeviceCount(&count), "cudaGetDeviceCount");
  int driver = 0, runtime = 0;
  check_cuda(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
  check_cuda(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
  const auto version = [](int number) {
    return std::to_string(number / 1000) + "." + std::to_string(number % 1000 / 10);
  };
  std::vector<DeviceInfo> devices;
  for (int device = 0; device < count; ++device) {
    cudaDeviceProp properties{};
    check_cuda(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
    DeviceInfo info;
    info.name = properties.name;
    info.memory = int64_t(properties.totalGlobalMem);
    info.details = {{"computeCapability", std::to_string(properties.major) + "." + std::to_string(properties.minor)},
                    {"driverVersion", version(driver)},
                    {"runtimeVersion", version(runtime)}};
    for (auto& library : library_versions()) info.details.push_back(std::move(library));
    devices.push_back(std::move(info));
  }
  return devices;
}

Queue::Queue(int device) : device_(device), memory_(device) {
  check_cuda(cudaSetDevice(device_), "cudaSetDevice");
  check_cuda(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, device_),
             "cudaDeviceGetAttribute");
  check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
}

Queue::~Queue() {
  cudaSetDevice(device_);
  cudaStreamSynchronize(stream_);
  cudaStreamDestroy(stream_);
}

void Queue::release_cache() noexcept {
  // cudaFree waits for the device anyway; a block in use by queued work must not be unmapped before.
  cudaStreamSynchronize(stream_);
  memory_.release_cache();
}

void Queue::upload(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  check_cuda(cudaSetDevice(device_), "cudaSetDevice");
  // From pageable memory this returns once the source has been read, so JavaScript may change it at once.
  check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync");
  check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
}

void Queue::copy(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  enqueue([&] { check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_), "cudaMemcpyAsync"); });
}

std::unique_ptr<Download> Queue::download(void* to, const void* from, size_t bytes, bool /*may_change*/) {
  // Stream order takes the bytes before any later op can overwrite them.
  return std::make_unique<Download>(*this, to, from, bytes);
}

void Queue::synchronize() { check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }

Download::Download(Queue& queue, void* to, const void* from, size_t bytes)
    : to_(to), bytes_(bytes), device_(queue.device()) {
  if (bytes_ == 0) return;
  check_cuda(cudaSetDevice(device_), "cudaSetDevice");
  check_cuda(cudaMallocHost(&staging_, bytes_), "cudaMallocHost");
  check_cuda(cudaEventCreateWithFlags(&done_, cudaEventDisableTiming | cudaEventBlockingSync), "cudaEventCreate");
  check_cuda(cudaMemcpyAsync(staging_, from, bytes_, cudaMemcpyDeviceToHost, queue.stream()), "cudaMemcpyAsync");
  check_cuda(cudaEventRecord(done_, queue.stream()), "cudaEventRecord");
}

void Download::wait() {
  if (bytes_ == 0) return;
  check_cuda(cudaSetDevice(device_), "cudaSetDevice");
  check_cuda(cudaEventSynchronize(done_), "cudaEventSynchronize");
  std::memcpy(to_, staging_, bytes_);
}

Download::~Download() {
  if (done_) cudaEventDestroy(done_);
  if (staging_) cudaFreeHost(staging_);
}

}  // namespace selfnorm
