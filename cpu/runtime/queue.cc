#include "queue.h"

#include <omp.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "../../cuda/kernels/range.h"
#include "../../cuda/kernels/stream_store.h"
#include "flavour.h"
#include "workers.h"

namespace selfnorm {

thread_local CpuBlock cpu_block;

// A usual last-level cache. What sysconf says is no guide: virtual machines report caches of cores that are not theirs.
const int64_t stream_threshold = int64_t(32) << 20;

thread_local bool has_team = false;

void note_team() { has_team = true; }

void give_up_team() {
  if (!has_team) return;
  has_team = false;
  omp_pause_resource_all(omp_pause_soft);
}

int worker_count() {
  static const int count = [] {
    const char* wanted = std::getenv("SELFNORM_THREADS");
    const int parsed = wanted ? std::atoi(wanted) : 0;
    return std::clamp(parsed > 0 ? parsed : omp_get_max_threads(), 1, 1024);
  }();
  return count;
}

void run_blocks(int64_t blocks, void (*body)(void*), void* context) {
  if (blocks <= 1) {
    cpu_block = {0, 1};
    body(context);
    return;
  }
  note_team();
#pragma omp parallel for schedule(static) num_threads(int(std::min <int64_t>(blocks, worker_count())))
  for (int64_t block = 0; block < blocks; ++block) {
    cpu_block = {block, blocks};
    body(context);
  }
}

std::vector<DeviceInfo> Queue::devices() {
  DeviceInfo info;
  info.name = "cpu";
  info.memory = int64_t(sysconf(_SC_PHYS_PAGES)) * int64_t(sysconf(_SC_PAGESIZE));
  info.details = {{"flavour", active_flavour().name}, {"threads", std::to_string(worker_count())}};
  return {info};
}

const OpTable& Queue::ops() { return active_flavour().op_table(); }

Queue::Queue(int) {}

std::unique_ptr<Completion> Queue::completion() {
  return std::make_unique<Completion>(worker_, worker_.submit([] {}));
}

// The address of an empty JavaScript array may be null, which memcpy may not be given.
void Queue::upload(void* to, const void* from, size_t bytes, bool fresh) {
  if (bytes == 0) return;
  if (!fresh) worker_.settle();
  std::memcpy(to, from, bytes);
}

void Queue::copy(void* to, const void* from, size_t bytes) {
  enqueue([=] { std::memcpy(to, from, bytes); });
}

std::unique_ptr<Download> Queue::download(void* to, const void* from, size_t bytes, bool may_change) {
  if (bytes > 0 && !worker_.idle()) {
    const uint64_t ticket = worker_.submit([=] { std::memcpy(to, from, bytes); });
    return std::make_unique<Download>(std::make_unique<Completion>(worker_, ticket));
  }
  constexpr size_t kWorthAnotherThread = size_t(1) << 20;
  auto download = std::make_unique<Download>(to, from, bytes);
  if (may_change || bytes < kWorthAnotherThread) download->wait();
  return download;
}

}  // namespace selfnorm
