#include "communicator.h"

#include <memory>

namespace selfnorm {
namespace {

int nccl_type(DType dtype) {
  switch (dtype) {
    case DType::kFloat16: return kNcclFloat16;
    case DType::kBfloat16: return kNcclBfloat16;
    case DType::kFloat32: return kNcclFloat32;
    case DType::kFloat64: return kNcclFloat64;
    case DType::kInt32: return kNcclInt32;
    default: throw Error("ERR_DTYPE", "distributed: expected floats or int32 to sum over processes");
  }
}

}  // namespace

// Never destroyed: CUDA may be gone before it when the process exits.
Communicator& Communicator::instance() {
  static Communicator& only = *new Communicator;
  return only;
}

NcclId Communicator::make_id(const std::string& library) {
  const Nccl& nccl = load_nccl(library);
  NcclId id;
  check_nccl(nccl, nccl.get_unique_id(&id), "ncclGetUniqueId");
  return id;
}

std::string Communicator::open(const std::string& library, const NcclId& id, int rank, int size, int device) {
  if (comm_ != nullptr) throw Error("ERR_DEVICE", "distributed: this process has joined a job already");
  const Nccl& nccl = load_nccl(library);
  use_device(device);
  if (stream_ == nullptr) {
    int least = 0, greatest = 0;
    check_cuda(cudaDeviceGetStreamPriorityRange(&least, &greatest), "cudaDeviceGetStreamPriorityRange");
    // Ahead of backward's kernels: what a bucket waits for, other ranks wait for too.
    check_cuda(cudaStreamCreateWithPriority(&stream_, cudaStreamNonBlocking, greatest), "cudaStreamCreateWithPriority");
    check_cuda(cudaEventCreateWithFlags(&ready_, cudaEventDisableTiming), "cudaEventCreateWithFlags");
    check_cuda(cudaEventCreateWithFlags(&done_, cudaEventDisableTiming), "cudaEventCreateWithFlags");
  }
  check_nccl(nccl, nccl.init_rank(&comm_, size, id, rank), "ncclCommInitRank");
  nccl_ = &nccl;
  device_ = device;
  int version = 0;
  nccl.get_version(&version);
  return "NCCL " + std::to_string(version / 10000) + "." + std::to_string(version % 10000 / 100) + "." +
         std::to_string(version % 100);
}

void Communicator::close() {
  if (comm_ == nullptr) return;
  use_device(device_);
  cudaStreamSynchronize(stream_);
  nccl_->destroy(comm_);
  comm_ = nullptr;
}

template <class Collective>
void Communicator::begin(Queue& queue, const char* call, Collective collective) {
  if (comm_ == nullptr) throw Error("ERR_DEVICE", "distributed: this process has not joined a job");
  if (queue.device() != device_) {
    throw Error("ERR_DEVICE", "distributed: expected tensors on cuda:" + std::to_string(device_) +
                                  ", got cuda:" + std::to_string(queue.device()));
  }
  queue.enqueue([&] {
    check_cuda(cudaEventRecord(ready_, queue.stream()), "cudaEventRecord");
    check_cuda(cudaStreamWaitEvent(stream_, ready_, 0), "cudaStreamWaitEvent");
    check_nccl(*nccl_, collective(), call);
  });
  under_way_ = true;
}

void Communicator::begin_all_reduce(Queue& queue, const View& view) {
  const int type = nccl_type(view.dtype);
  begin(queue, "ncclAllReduce",
        [&] { return nccl_->all_reduce(view.data, view.data, size_t(view.size()), type, kNcclSum, comm_, stream_); });
}

void Communicator::begin_broadcast(Queue& queue, const View& view, int root) {
  const size_t bytes = size_t(view.size() * size_of(view.dtype));
  begin(queue, "ncclBroadcast",
        [&] { return nccl_->broadcast(view.data, view.data, bytes, kNcclUint8, root, comm_, stream_); });
}

void Communicator::finish(Queue& queue) {
  // A stream that took no part in a capture may not be waited for in it.
  if (!under_way_) return;
  queue.enqueue([&] {
    check_cuda(cudaEventRecord(done_, stream_), "cudaEventRecord");
    check_cuda(cudaStreamWaitEvent(queue.stream(), done_, 0), "cudaStreamWaitEvent");
  });
  under_way_ = false;
}

std::function<void()> Communicator::completion() {
  if (comm_ == nullptr) return [] {};
  use_device(device_);
  cudaEvent_t event = nullptr;
  check_cuda(cudaEventCreateWithFlags(&event, cudaEventDisableTiming | cudaEventBlockingSync),
             "cudaEventCreateWithFlags");
  // Recorded here: a pool's thread would record into a capture that began meanwhile.
  const std::shared_ptr<void> owned(event, [](void* kept) { cudaEventDestroy(static_cast<cudaEvent_t>(kept)); });
  check_cuda(cudaEventRecord(event, stream_), "cudaEventRecord");
  return [owned, device = device_] {
    use_device(device);
    check_cuda(cudaEventSynchronize(static_cast<cudaEvent_t>(owned.get())), "cudaEventSynchronize");
  };
}

}  // namespace selfnorm
