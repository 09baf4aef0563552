// This process among the others of its job, on CUDA: NCCL on a stream of its own beside the queue's. Events order the
// two, so a captured step has its collectives in the graph. cpu/runtime/communicator.h has the same names over MPI.
#pragma once

#include <functional>
#include <string>

#include "nccl.h"
#include "queue.h"

namespace selfnorm {

class Communicator {
 public:
  static Communicator& instance();

  // In the queue's turn, beside what the queue does next; the sum or copy is there after finish().
  void begin_all_reduce(Queue& queue, const View& view);
  void begin_broadcast(Queue& queue, const View& view, int root);
  // What follows on the queue finds everything done that was begun.
  void finish(Queue& queue);
  // A function that blocks until all that was begun is done, for any thread.
  std::function<void()> completion();

  // What rank 0 gives to the others.
  static NcclId make_id(const std::string& library);
  // Joins the job; blocks until all ranks do so, on any thread. The answer is the library's version. Throws Error.
  std::string open(const std::string& library, const NcclId& id, int rank, int size, int device);
  // Leaves the job.
  void close();

 private:
  Communicator() = default;
  // Work on the communicator's stream, after what is queued.
  template <class Collective>
  void begin(Queue& queue, const char* call, Collective collective);

  const Nccl* nccl_ = nullptr;
  NcclComm comm_ = nullptr;
  int device_ = 0;
  cudaStream_t stream_ = nullptr;
  cudaEvent_t ready_ = nullptr, done_ = nullptr;
  bool under_way_ = false;  // something was begun since the last finish()
};

}  // namespace selfnorm
