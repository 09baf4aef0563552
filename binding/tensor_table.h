// The tensors of one JavaScript thread. A tensor is a row of this table and its id a checked number: no JavaScript
// object can be mistaken for a tensor, and a stale id is an error, not a dangling pointer.
//
// Rows are freed by dispose(), by finalizers, and by sweep(): V8 runs finalizers only when the event loop turns, so a
// long synchronous loop would never see one. sweep() asks every row's weak reference whether its object is still there.
#pragma once

#include <node_api.h>

#include <memory>
#include <vector>

#include "runtime/queue.h"

namespace selfnorm {

// Device memory shared by the tensors that view it.
struct Storage {
  Queue* queue;
  void* data;
  size_t bytes;
  // Overwritten in place by assign() and optimizers; a view of it is therefore a copy.
  bool variable = false;
  // Rows of the table that view it. The use count of the pointer also counts reads under way.
  int64_t rows = 0;
  // The recording that last met it, and its number there.
  uint64_t recording = 0;
  size_t recorded_as = 0;

  Storage(Queue* owner, size_t size) : queue(owner), data(owner->allocate(size)), bytes(size) {}
  ~Storage() { queue->release(data, bytes); }
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
};

struct TensorRow {
  std::shared_ptr<Storage> storage;  // null: the row is free
  View view;
  napi_ref object = nullptr;
  uint32_t generation = 1;
};

class TensorTable {
 public:
  explicit TensorTable(napi_env env) : env_(env) {}
  // Deletes every reference, so that no finalizer runs after the table is gone.
  ~TensorTable() { clear(); }

  // The row of an id from JavaScript, or null if the tensor was disposed or never existed.
  TensorRow* find(double id);

  // Adds a tensor and ties its life to the JavaScript object; the object gets the id.
  double add(napi_value object, std::shared_ptr<Storage> storage, const View& view);
  bool remove(double id);
  // Gives a row memory of its own, in which its view lies at the start.
  void replace_storage(TensorRow& row, std::shared_ptr<Storage> storage);
  // Frees rows whose object was collected.
  void sweep();
  // Called before memory is taken: sweeps when enough was created since the last time.
  void before_allocation(size_t bytes);

  int64_t count() const { return live_; }
  int64_t bytes() const { return bytes_; }

 private:
  void clear();
  static void finalize(napi_env env, void* id, void* table);
  static double id_of(uint32_t slot, uint32_t generation);
  void free_row(uint32_t slot);
  // Memory that several rows share counts once.
  void attach(Storage& storage);
  void detach(Storage& storage);
  void account(int64_t bytes);
  // Tells of bytes that garbage collection gave back.
  void collected(int64_t bytes);
  void report();

  napi_env env_;
  std::vector<TensorRow> rows_;
  std::vector<uint32_t> free_slots_;
  int64_t live_ = 0;
  int64_t bytes_ = 0;
  // What V8 is to know of. V8 collects garbage when that grows by 64 MiB, and a training step takes and gives back
  // more. So what dispose() freed still counts: V8 looks for garbage when more is in use than before, not at every
  // step.
  int64_t standing_bytes_ = 0;
  int64_t reported_bytes_ = 0;
  // A peak longer ago than this many sweeps is forgotten. A step has a few, so steps of one size keep theirs.
  static constexpr int kSweepsOfAPeak = 64;
  int64_t recent_peak_ = 0;
  int sweeps_left_ = kSweepsOfAPeak;
  int64_t created_since_sweep_ = 0;
  int64_t bytes_since_sweep_ = 0;
};

}  // namespace selfnorm
