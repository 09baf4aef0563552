// The upload lane's waits, on a device whose streams run as late or in as odd an order as they are allowed to: every
// batch must arrive as it was given, and a lane that leaves one of its waits out must be found out. Then with a thread
// a stream, where ThreadSanitizer sees a buffer that is written too early.
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "../../cuda/runtime/upload_lane.h"

namespace selfnorm::test {
namespace {

enum Stream { kUp, kCompute };

constexpr size_t kHalf = 4096;

// Two streams of work that run when somebody lets them. An event is the number of its last record.
struct Schedule {
  enum class Order { kLate, kUpFirst, kComputeFirst, kRandom };
  // Waits that are left out, to see that the test notices.
  bool host_waits = true, up_waits = true, compute_waits = true;
  Order order = Order::kLate;
  std::mt19937 random{1};
  std::deque<std::function<bool()>> streams[2];  // false: it has to wait

  bool run_one(Stream stream) {
    if (streams[stream].empty() || !streams[stream].front()()) return false;
    streams[stream].pop_front();
    return true;
  }
  void run_until(const std::function<bool()>& done) {
    while (!done()) {
      const Stream first = random() % 2 == 0 ? kUp : kCompute;
      if (!run_one(first) && !run_one(first == kUp ? kCompute : kUp)) FAIL() << "every stream waits for another";
    }
  }
  // What the device gets done before the host goes on.
  void pass_time() {
    switch (order) {
      case Order::kLate: return;
      case Order::kUpFirst:
        while (run_one(kUp)) continue;
        return;
      case Order::kComputeFirst:
        while (run_one(kCompute)) continue;
        return;
      case Order::kRandom:
        for (uint32_t i = random() % 6; i > 0; --i) run_one(random() % 2 == 0 ? kUp : kCompute);
    }
  }
};

struct Record {
  uint64_t asked = 0, done = 0;
};

class LateDevice {
 public:
  using Event = Record*;
  explicit LateDevice(Schedule& schedule) : schedule_(schedule) {}

  bool allocate(size_t size, void*& host, void*& place, Event& arrived, Event& moved_on) {
    host = new char[size];
    place = new char[size];
    arrived = new Record;
    moved_on = new Record;
    return true;
  }
  void free(void* host, void* place, Event arrived, Event moved_on) {
    delete[] static_cast<char*>(host);
    delete[] static_cast<char*>(place);
    delete arrived;
    delete moved_on;
  }
  void copy_up(void* place, const void* host, size_t bytes) { copy(kUp, place, host, bytes); }
  void copy_on(void* to, const void* place, size_t bytes) { copy(kCompute, to, place, bytes); }
  void record_up(Event event) { record(kUp, event); }
  void record_compute(Event event) { record(kCompute, event); }
  void up_waits(Event event) {
    if (schedule_.up_waits) wait(kUp, event);
  }
  void compute_waits(Event event) {
    if (schedule_.compute_waits) wait(kCompute, event);
  }
  void host_waits(Event event) {
    if (!schedule_.host_waits) return;
    schedule_.run_until([event] { return event->done == event->asked; });
  }

 private:
  void copy(Stream stream, void* to, const void* from, size_t bytes) {
    schedule_.streams[stream].push_back([=] {
      std::memcpy(to, from, bytes);
      return true;
    });
    schedule_.pass_time();
  }
  void record(Stream stream, Event event) {
    const uint64_t number = ++event->asked;
    schedule_.streams[stream].push_back([=] {
      event->done = number;
      return true;
    });
  }
  void wait(Stream stream, Event event) {
    schedule_.streams[stream].push_back([=, number = event->asked] { return event->done >= number; });
  }
  Schedule& schedule_;
};

// Batches of sizes that fit a half once, several times, and not at all.
std::vector<size_t> batch_sizes() {
  std::vector<size_t> sizes;
  std::mt19937 random(2);
  for (int i = 0; i < 60; ++i) sizes.push_back(1 + random() % (i % 3 == 0 ? 3600 : 1200));
  sizes.push_back(12000);
  for (int i = 0; i < 12; ++i) sizes.push_back(6000 + random() % 8000);
  return sizes;
}

char value_of(size_t batch, size_t i) { return char(batch * 31 + i * 7 + i / 251); }

// How many batches arrived with other bytes than were given.
int wrong_batches(Schedule& schedule, const std::vector<size_t>& sizes) {
  std::vector<std::unique_ptr<char[]>> tensors;
  std::vector<char> source;
  {
    UploadLane<LateDevice> lane(LateDevice(schedule), kHalf);
    for (size_t batch = 0; batch < sizes.size(); ++batch) {
      source.resize(sizes[batch]);
      for (size_t i = 0; i < source.size(); ++i) source[i] = value_of(batch, i);
      tensors.push_back(std::make_unique<char[]>(sizes[batch]));
      EXPECT_TRUE(lane.upload(tensors.back().get(), source.data(), sizes[batch]));
      std::fill(source.begin(), source.end(), char(0));
      schedule.pass_time();
    }
    // Whatever was left out, nothing may use the buffers when the lane gives them back.
    schedule.run_until([&] { return schedule.streams[kUp].empty() && schedule.streams[kCompute].empty(); });
  }
  int wrong = 0;
  for (size_t batch = 0; batch < sizes.size(); ++batch) {
    bool same = true;
    for (size_t i = 0; i < sizes[batch]; ++i) same = same && tensors[batch][i] == value_of(batch, i);
    wrong += same ? 0 : 1;
  }
  return wrong;
}

TEST(UploadLane, EveryBatchArrivesWhateverTheStreamsDo) {
  using Order = Schedule::Order;
  for (const Order order : {Order::kLate, Order::kUpFirst, Order::kComputeFirst, Order::kRandom}) {
    for (uint32_t seed = 1; seed <= 5; ++seed) {
      Schedule schedule;
      schedule.order = order;
      schedule.random.seed(seed);
      EXPECT_EQ(wrong_batches(schedule, batch_sizes()), 0) << "order " << int(order) << ", seed " << seed;
    }
  }
}

TEST(UploadLane, AMissingWaitIsFoundOut) {
  // Of one size, so that buffers stay the same: one batch a half.
  const std::vector<size_t> sizes(8, 3000);
  Schedule no_host_waits;
  no_host_waits.host_waits = false;
  EXPECT_GT(wrong_batches(no_host_waits, sizes), 0);
  Schedule no_compute_waits;
  no_compute_waits.compute_waits = false;
  no_compute_waits.order = Schedule::Order::kComputeFirst;
  EXPECT_GT(wrong_batches(no_compute_waits, sizes), 0);
  Schedule no_up_waits;
  no_up_waits.up_waits = false;
  no_up_waits.order = Schedule::Order::kUpFirst;
  EXPECT_GT(wrong_batches(no_up_waits, sizes), 0);
}

TEST(UploadLane, WithoutMemoryAndForWholeDataSetsThereIsAnotherWay) {
  struct Poor : LateDevice {
    using LateDevice::LateDevice;
    int halves = 0;
    bool allocate(size_t size, void*& host, void*& place, Event& arrived, Event& moved_on) {
      return halves++ == 0 && LateDevice::allocate(size, host, place, arrived, moved_on);
    }
  };
  Schedule schedule;
  UploadLane<Poor> lane{Poor(schedule)};
  char byte = 1, to = 0;
  EXPECT_FALSE(lane.upload(&to, &byte, 1));
  UploadLane<LateDevice> rich{LateDevice(schedule)};
  EXPECT_FALSE(rich.upload(&to, &byte, UploadLane<LateDevice>::kLargest + 1));
  EXPECT_TRUE(schedule.streams[kUp].empty() && schedule.streams[kCompute].empty());
}

// A thread that runs what it is given in order.
class ThreadStream {
 public:
  ThreadStream() : thread_([this] { run(); }) {}
  ~ThreadStream() {
    give(nullptr);
    thread_.join();
  }
  void give(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    work_.push_back(std::move(work));
    given_.notify_one();
  }

 private:
  void run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      given_.wait(lock, [this] { return !work_.empty(); });
      const std::function<void()> work = std::move(work_.front());
      work_.pop_front();
      lock.unlock();
      if (!work) return;
      work();
    }
  }
  std::mutex mutex_;
  std::condition_variable given_;
  std::deque<std::function<void()>> work_;
  std::thread thread_;
};

struct SharedRecord {
  std::mutex mutex;
  std::condition_variable changed;
  uint64_t asked = 0, done = 0;

  uint64_t ask() {
    const std::lock_guard lock(mutex);
    return ++asked;
  }
  uint64_t last() {
    const std::lock_guard lock(mutex);
    return asked;
  }
  void finish(uint64_t number) {
    const std::lock_guard lock(mutex);
    done = number;
    changed.notify_all();
  }
  void wait(uint64_t number) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return done >= number; });
  }
};

class ThreadDevice {
 public:
  using Event = std::shared_ptr<SharedRecord>;
  explicit ThreadDevice(ThreadStream& up, ThreadStream& compute) : up_(up), compute_(compute) {}

  bool allocate(size_t size, void*& host, void*& place, Event& arrived, Event& moved_on) {
    host = new char[size];
    place = new char[size];
    arrived = std::make_shared<SharedRecord>();
    moved_on = std::make_shared<SharedRecord>();
    return true;
  }
  void free(void* host, void* place, const Event&, const Event&) {
    delete[] static_cast<char*>(host);
    delete[] static_cast<char*>(place);
  }
  void copy_up(void* place, const void* host, size_t bytes) {
    up_.give([=] { std::memcpy(place, host, bytes); });
  }
  void copy_on(void* to, const void* place, size_t bytes) {
    compute_.give([=] { std::memcpy(to, place, bytes); });
  }
  void record_up(const Event& event) { record(up_, event); }
  void record_compute(const Event& event) { record(compute_, event); }
  void up_waits(const Event& event) { wait(up_, event); }
  void compute_waits(const Event& event) { wait(compute_, event); }
  void host_waits(const Event& event) { event->wait(event->last()); }

 private:
  static void record(ThreadStream& stream, const Event& event) {
    stream.give([event, number = event->ask()] { event->finish(number); });
  }
  static void wait(ThreadStream& stream, const Event& event) {
    stream.give([event, number = event->last()] { event->wait(number); });
  }
  ThreadStream &up_, &compute_;
};

TEST(UploadLane, AThreadAStreamReadsWhatWasGiven) {
  constexpr size_t kBatches = 200, kBytes = 3000;
  std::vector<int> sums(kBatches);
  {
    ThreadStream up, compute;
    std::vector<char> source(kBytes);
    UploadLane<ThreadDevice> lane(ThreadDevice(up, compute), kHalf);
    std::vector<std::unique_ptr<char[]>> tensors;
    for (size_t batch = 0; batch < kBatches; ++batch) {
      std::fill(source.begin(), source.end(), char(batch + 1));
      tensors.push_back(std::make_unique<char[]>(kBytes));
      char* const tensor = tensors.back().get();
      ASSERT_TRUE(lane.upload(tensor, source.data(), kBytes));
      // The step: what it reads is the batch.
      compute.give([&sums, batch, tensor] {
        bool same = true;
        for (size_t i = 0; i < kBytes; ++i) same = same && tensor[i] == char(batch + 1);
        sums[batch] = same ? 1 : 0;
      });
    }
    lane.release();
    // The streams end before the tensors do.
    SharedRecord end;
    const uint64_t last = end.ask();
    compute.give([&] { end.finish(last); });
    end.wait(last);
  }
  EXPECT_EQ(sums, std::vector<int>(kBatches, 1));
}

}  // namespace
}  // namespace selfnorm::test
