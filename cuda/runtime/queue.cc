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
  use_device(device_);
  check_cuda(cudaDeviceGetAttribute(&multiprocessors_, cudaDevAttrMultiProcessorCount, device_),
             "cudaDeviceGetAttribute");
  check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  lane_ = std::make_unique<UploadLane<UploadStreams>>(UploadStreams(device_, stream_));
}

Queue::~Queue() {
  cudaSetDevice(device_);
  lane_.reset();
  cudaStreamSynchronize(stream_);
  cudaStreamDestroy(stream_);
}

void Queue::release_cache() noexcept {
  memory_.release_cache();
  staging_->release_cache();
  lane_->release();
}

void Queue::upload(void* to, const void* from, size_t bytes, bool fresh) {
  if (bytes == 0) return;
  use_device(device_);
  // A few numbers are on their way sooner than two streams have waited for each other.
  constexpr size_t kWorthTheLane = 256;
  if (fresh && bytes >= kWorthTheLane && lane_->upload(to, from, bytes)) return;
  constexpr size_t kLargestStaged = size_t(4) << 20;
  if (bytes > kLargestStaged) {
    // From pageable memory CUDA copies through pinned memory of its own, about as fast as it can be done.
    check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync");
    check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
    return;
  }
  // Small copies, a batch's indices or a learning rate, must not wait for the work queued before them.
  std::unique_ptr<StagingBlock> block = staging_->take(bytes);
  std::memcpy(block->data, from, bytes);
  check_cuda(cudaMemcpyAsync(to, block->data, bytes, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync");
  check_cuda(cudaEventRecord(block->done, stream_), "cudaEventRecord");
  staging_->give(std::move(block));
}

void Queue::copy(void* to, const void* from, size_t bytes) {
  if (bytes == 0) return;
  enqueue([&] { check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream_), "cudaMemcpyAsync"); });
}

std::unique_ptr<Download> Queue::download(void* to, const void* from, size_t bytes, bool /*may_change*/) {
  // Stream order takes the bytes before any later op can overwrite them.
  return std::make_unique<Download>(*this, to, from, bytes);
}

void Queue::synchronize() {
  use_device(device_);
  check_cuda(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
}

namespace {

// Most waits are for work that is nearly done: asking a few times is quicker than being woken.
void wait_for(cudaEvent_t event) {
  constexpr int kQuestions = 200;
  cudaError_t status = cudaErrorNotReady;
  for (int i = 0; i < kQuestions && status == cudaErrorNotReady; ++i) status = cudaEventQuery(event);
  if (status == cudaErrorNotReady) {
    cudaGetLastError();
    status = cudaEventSynchronize(event);
  }
  check_cuda(status, "cudaEventSynchronize");
}

}  // namespace

Completion::Completion(Queue& queue) : device_(queue.device()) {
  use_device(device_);
  check_cuda(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming | cudaEventBlockingSync), "cudaEventCreate");
  const cudaError_t recorded = cudaEventRecord(event_, queue.stream());
  if (recorded != cudaSuccess) cudaEventDestroy(event_);
  check_cuda(recorded, "cudaEventRecord");
}

Completion::~Completion() { cudaEventDestroy(event_); }

void Completion::wait() {
  use_device(device_);
  wait_for(event_);
}

Download::Download(Queue& queue, void* to, const void* from, size_t bytes)
    : to_(to), bytes_(bytes), device_(queue.device()), pool_(queue.staging()) {
  if (bytes_ == 0) return;
  use_device(device_);
  block_ = pool_->take(bytes_);
  check_cuda(cudaMemcpyAsync(block_->data, from, bytes_, cudaMemcpyDeviceToHost, queue.stream()), "cudaMemcpyAsync");
  check_cuda(cudaEventRecord(block_->done, queue.stream()), "cudaEventRecord");
}

void Download::wait() {
  if (bytes_ == 0) return;
  use_device(device_);
  wait_for(block_->done);
  std::memcpy(to_, block_->data, bytes_);
}

Download::~Download() { pool_->give(std::move(block_)); }

}  // namespace selfnorm
