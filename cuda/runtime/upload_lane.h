// Host data on its way to the device beside the work there: two page-locked buffers in turns, each with a place of its
// size on the device, and a stream for the copies between them. The compute stream waits for a copy's event and moves
// the bytes on within the device, so it waits for the host only where the data are late. A template of what it asks of
// the device, so that the order of its waits is tested without one (test/native/upload_lane_test.cc).
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstring>
#include <utility>

namespace selfnorm {

// Device is a type with
//   Event  recorded again and again; what waits for it means its last record
//   bool allocate(size, host&, place&, event&, event&)  a half: its buffers and events; false: there is no memory
//   free(host, place, event, event)
//   copy_up(place, host, bytes), record_up(event), up_waits(event)            on the copies' stream
//   copy_on(to, place, bytes), record_compute(event), compute_waits(event)    on the compute stream
//   host_waits(event)
template <class Device>
class UploadLane {
 public:
  // A batch that is larger is no batch: whole data sets take another way, once.
  static constexpr size_t kLargest = size_t(64) << 20;

  // `smallest`: bytes of a half, to begin with.
  explicit UploadLane(Device device, size_t smallest = size_t(1) << 20)
      : device_(std::move(device)), smallest_(smallest) {}
  ~UploadLane() { release(); }
  UploadLane(const UploadLane&) = delete;
  UploadLane& operator=(const UploadLane&) = delete;

  // Copies to `to` in the turn of the compute stream. The source may change as soon as this returns. False: there is
  // no memory for the buffers, and nothing was done.
  bool upload(void* to, const void* from, size_t bytes) {
    if (bytes > kLargest || (bytes > capacity_ && !grow(bytes))) return false;
    size_t offset = (used_ + kAlignment - 1) / kAlignment * kAlignment;
    if (offset + bytes > capacity_) {
      begin(1 - current_);
      offset = 0;
    }
    Half& half = halves_[current_];
    char* const host = static_cast<char*>(half.host) + offset;
    char* const place = static_cast<char*>(half.place) + offset;
    std::memcpy(host, from, bytes);
    device_.copy_up(place, host, bytes);
    device_.record_up(half.arrived);
    device_.compute_waits(half.arrived);
    device_.copy_on(to, place, bytes);
    device_.record_compute(half.moved_on);
    used_ = offset + bytes;
    return true;
  }

  // Gives the buffers back, once nothing uses them.
  void release() noexcept {
    for (Half& half : halves_) {
      if (half.host == nullptr) continue;
      device_.host_waits(half.arrived);
      device_.host_waits(half.moved_on);
      device_.free(half.host, half.place, half.arrived, half.moved_on);
      half = {};
    }
    capacity_ = used_ = 0;
  }

 private:
  using Event = typename Device::Event;
  static constexpr size_t kAlignment = 256;

  struct Half {
    void* host = nullptr;
    void* place = nullptr;
    Event arrived{};   // the last bytes of `host` are at `place`: `host` may be written
    Event moved_on{};  // the last bytes of `place` are where they belong: `place` may be written
  };

  // A half is filled anew. Its copies may still be under way, but they began a whole half ago.
  void begin(int half) {
    device_.host_waits(halves_[half].arrived);
    device_.up_waits(halves_[half].moved_on);
    current_ = half;
    used_ = 0;
  }

  bool grow(size_t bytes) {
    release();
    const size_t size = std::max(std::bit_ceil(bytes), smallest_);
    for (Half& half : halves_) {
      if (device_.allocate(size, half.host, half.place, half.arrived, half.moved_on)) continue;
      half = {};
      release();
      return false;
    }
    capacity_ = size;
    current_ = 0;
    return true;
  }

  Device device_;
  size_t smallest_;
  Half halves_[2];
  size_t capacity_ = 0;  // of a half
  size_t used_ = 0;      // of the current one
  int current_ = 0;
};

}  // namespace selfnorm
