#include "tensor_table.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace selfnorm {
namespace {

constexpr double kGenerationUnit = 4294967296.0;  // ids are generation * 2^32 + slot, exact in a double
constexpr uint32_t kMaxGeneration = 1u << 20;

}  // namespace

double TensorTable::id_of(uint32_t slot, uint32_t generation) { return generation * kGenerationUnit + slot; }

TensorRow* TensorTable::find(double id) {
  if (!(id >= kGenerationUnit && id < kGenerationUnit * kMaxGeneration)) return nullptr;
  const auto generation = static_cast<uint32_t>(id / kGenerationUnit);
  const double slot = id - generation * kGenerationUnit;
  if (slot >= double(rows_.size())) return nullptr;
  TensorRow& row = rows_[static_cast<size_t>(slot)];
  return row.storage && row.generation == generation ? &row : nullptr;
}

void TensorTable::finalize(napi_env, void* packed, void* data) {
  auto* const table = static_cast<TensorTable*>(data);
  const auto bits = reinterpret_cast<uintptr_t>(packed);
  const int64_t before = table->bytes_;
  table->remove(id_of(static_cast<uint32_t>(bits), static_cast<uint32_t>(bits >> 32)));
  table->collected(before - table->bytes_);
}

double TensorTable::add(napi_value object, std::shared_ptr<Storage> storage, const View& view) {
  uint32_t slot;
  if (free_slots_.empty()) {
    slot = static_cast<uint32_t>(rows_.size());
    rows_.emplace_back();
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  TensorRow& row = rows_[slot];
  const auto packed = reinterpret_cast<void*>(uintptr_t(slot) | uintptr_t(row.generation) << 32);
  if (napi_add_finalizer(env_, object, packed, finalize, this, &row.object) != napi_ok) {
    free_slots_.push_back(slot);
    throw Error("ERR_ARGUMENT", "native: tensor: expected an object to hold the new tensor");
  }
  attach(*storage);
  row.storage = std::move(storage);
  row.view = view;
  ++live_;
  ++created_since_sweep_;
  return id_of(slot, row.generation);
}

void TensorTable::free_row(uint32_t slot) {
  TensorRow& row = rows_[slot];
  detach(*row.storage);
  // Deleting the reference also takes its finalizer out of the queue.
  napi_delete_reference(env_, row.object);
  row.object = nullptr;
  row.storage.reset();
  row.generation = row.generation + 1 < kMaxGeneration ? row.generation + 1 : 1;
  free_slots_.push_back(slot);
  --live_;
}

bool TensorTable::remove(double id) {
  TensorRow* const row = find(id);
  if (row == nullptr) return false;
  free_row(static_cast<uint32_t>(row - rows_.data()));
  return true;
}

void TensorTable::replace_storage(TensorRow& row, std::shared_ptr<Storage> storage) {
  detach(*row.storage);
  attach(*storage);
  row.view.data = storage->data;
  row.storage = std::move(storage);
}

void TensorTable::attach(Storage& storage) {
  if (storage.rows++ == 0) account(int64_t(storage.bytes));
}

void TensorTable::detach(Storage& storage) {
  if (--storage.rows == 0) account(-int64_t(storage.bytes));
}

void TensorTable::sweep() {
  const int64_t before = bytes_;
  napi_handle_scope scope;
  napi_open_handle_scope(env_, &scope);
  for (uint32_t slot = 0; slot < rows_.size(); ++slot) {
    if (!rows_[slot].storage) continue;
    napi_value object = nullptr;
    napi_get_reference_value(env_, rows_[slot].object, &object);
    if (object == nullptr) free_row(slot);
  }
  napi_close_handle_scope(env_, scope);
  created_since_sweep_ = 0;
  bytes_since_sweep_ = 0;
  collected(before - bytes_);
  if (--sweeps_left_ > 0) return;
  sweeps_left_ = kSweepsOfAPeak;
  standing_bytes_ = std::exchange(recent_peak_, bytes_);
  report();
}

void TensorTable::before_allocation(size_t bytes) {
  constexpr int64_t kRows = 4096, kBytes = int64_t(64) << 20;
  bytes_since_sweep_ += int64_t(bytes);
  if (created_since_sweep_ >= std::max(kRows, live_ / 2) || bytes_since_sweep_ >= std::max(kBytes, bytes_ / 2)) sweep();
}

void TensorTable::account(int64_t bytes) {
  bytes_ += bytes;
  recent_peak_ = std::max(recent_peak_, bytes_);
  standing_bytes_ = std::max(standing_bytes_, bytes_);
  report();
}

void TensorTable::collected(int64_t bytes) {
  recent_peak_ = std::max(bytes_, recent_peak_ - bytes);
  standing_bytes_ = std::max(bytes_, standing_bytes_ - bytes);
  report();
}

void TensorTable::report() {
  constexpr int64_t kReportStep = int64_t(1) << 20;
  const int64_t change = standing_bytes_ - reported_bytes_;
  if (std::abs(change) < kReportStep) return;
  int64_t total;
  reported_bytes_ = standing_bytes_;
  napi_adjust_external_memory(env_, change, &total);
}

void TensorTable::clear() {
  for (uint32_t slot = 0; slot < rows_.size(); ++slot) {
    if (rows_[slot].storage) free_row(slot);
  }
}

}  // namespace selfnorm
