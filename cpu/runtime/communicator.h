// This process among the others of its job, on the CPU: one thread makes every call of the engine, begins what it is
// given at once and looks after all that is under way. Queues give it work and wait on threads of their own,
// JavaScript's by promises. cuda/runtime/communicator.h has the names of the first part over NCCL.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "../../cuda/ops/op.h"

struct SelfnormProcessEngine;

namespace selfnorm {

class Communicator {
 public:
  static Communicator& instance();

  // In the queue's turn; the sum or copy is there after finish().
  void begin_all_reduce(Queue& queue, const View& view);
  void begin_broadcast(Queue& queue, const View& view, int root);
  // What follows on the queue finds everything done that was begun on it.
  void finish(Queue& queue);
  // A function that blocks until all that was begun is done, for any thread. It throws what failed.
  std::function<void()> completion();

  struct World {
    int rank, size;
    std::string library;
  };
  // Loads the engine and joins the job; blocks, on any thread. Throws Error.
  World open(const std::string& module);
  // What each rank gave, in their order; the second argument says what failed.
  using Exchanged = std::function<void(std::vector<std::vector<std::byte>>, std::string)>;
  // Exchanges bytes of any number with all other ranks, one exchange after the other. `then` runs on another thread.
  void exchange(std::vector<std::byte> mine, Exchanged then);
  // Leaves the job, which waits for the other ranks to do so; blocks.
  void close();
  // Ends every process of the job, this one too.
  [[noreturn]] void abort(int code);

 private:
  struct Message;

  Communicator() = default;
  void wait(uint64_t ticket);
  // Runs a function on the engine's thread, in the order of calls.
  void call(std::function<void()> job);
  // Calls the engine and keeps the request that it gives.
  void begin(std::function<void*(const SelfnormProcessEngine&)> collective);
  void run();
  // Whether anything came further.
  bool look_after();
  bool advance(Message& message);
  void fail(const std::string& why);

  const SelfnormProcessEngine* engine_ = nullptr;
  int size_ = 1;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable given_, ended_;
  std::deque<std::function<void()>> calls_;
  uint64_t begun_ = 0, done_ = 0;  // collectives of queues
  std::string failure_;
  bool stops_ = false;
  // The engine's thread alone looks at these.
  std::vector<void*> requests_;
  std::deque<std::unique_ptr<Message>> messages_;
};

}  // namespace selfnorm
