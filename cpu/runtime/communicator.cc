#include "communicator.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "process_engine.h"
#include "queue.h"

namespace selfnorm {
namespace {

constexpr const char* kBuild =
    "install MPI (Debian, Ubuntu: apt install openmpi-bin libopenmpi-dev), then: npx selfnorm build";

int engine_dtype(DType dtype) {
  switch (dtype) {
    case DType::kFloat32: return kSelfnormFloat32;
    case DType::kFloat64: return kSelfnormFloat64;
    case DType::kInt32: return kSelfnormInt32;
    default: throw Error("ERR_DTYPE", "distributed: expected float32, float64 or int32 to sum over processes");
  }
}

// What waits for other processes leaves the processor to those that compute.
void rest(int rounds) {
  if (rounds < 100)
    std::this_thread::yield();
  else
    std::this_thread::sleep_for(std::chrono::microseconds(rounds < 2000 ? 20 : 200));
}

// Pieces of memory, none larger than what an engine counts.
template <class Body>
void in_pieces(void* data, size_t bytes, Body body) {
  for (size_t from = 0; from < bytes; from += kSelfnormMostBytes) {
    body(static_cast<char*>(data) + from, std::min(kSelfnormMostBytes, bytes - from));
  }
}

}  // namespace

// Sizes travel first, then as many bytes of each as the largest has.
struct Communicator::Message {
  std::vector<std::byte> mine;
  Exchanged then;
  uint64_t size = 0;
  std::vector<uint64_t> sizes;
  size_t widest = 0;
  std::vector<std::byte> all;
  void* request = nullptr;
};

// Never destroyed: its thread may be at work when the process exits.
Communicator& Communicator::instance() {
  static Communicator& only = *new Communicator;
  return only;
}

void Communicator::begin_all_reduce(Queue& queue, const View& view) {
  const int dtype = engine_dtype(view.dtype);
  const size_t size = size_t(size_of(view.dtype)), bytes = size_t(view.size()) * size;
  queue.enqueue([data = view.data, bytes, size, dtype] {
    in_pieces(data, bytes, [&](char* piece, size_t length) {
      instance().begin([=](const SelfnormProcessEngine& engine) {
        return engine.all_reduce(kSelfnormWork, piece, length / size, dtype);
      });
    });
  });
}

void Communicator::begin_broadcast(Queue& queue, const View& view, int root) {
  const size_t bytes = size_t(view.size() * size_of(view.dtype));
  queue.enqueue([data = view.data, bytes, root] {
    in_pieces(data, bytes, [&](char* piece, size_t length) {
      instance().begin(
          [=](const SelfnormProcessEngine& engine) { return engine.broadcast(kSelfnormWork, piece, length, root); });
    });
  });
}

void Communicator::finish(Queue& queue) {
  queue.enqueue([] { instance().completion()(); });
}

std::function<void()> Communicator::completion() {
  const std::lock_guard lock(mutex_);
  return [this, ticket = begun_] { wait(ticket); };
}

void Communicator::wait(uint64_t ticket) {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return done_ >= ticket || !failure_.empty(); });
  if (!failure_.empty()) throw Error("ERR_DEVICE", failure_);
}

void Communicator::call(std::function<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    calls_.push_back(std::move(job));
  }
  given_.notify_one();
}

void Communicator::begin(std::function<void*(const SelfnormProcessEngine&)> collective) {
  {
    const std::lock_guard lock(mutex_);
    if (engine_ == nullptr) throw Error("ERR_DEVICE", "distributed: this process has not joined a job");
    ++begun_;
  }
  call([this, collective = std::move(collective)] {
    void* const request = collective(*engine_);
    if (request != nullptr)
      requests_.push_back(request);
    else
      fail("distributed: a collective could not begin");
  });
}

Communicator::World Communicator::open(const std::string& module) {
  if (engine_ != nullptr) throw Error("ERR_DEVICE", "distributed: this process has joined a job already");
  // MPI's own parts look for each other's names among those of all libraries.
  void* const library = dlopen(module.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) {
    throw Error("ERR_DEVICE", std::string("distributed: MPI could not be loaded: ") + dlerror() + "; " + kBuild);
  }
  const auto get = reinterpret_cast<const SelfnormProcessEngine* (*)()>(dlsym(library, "selfnorm_process_engine"));
  const SelfnormProcessEngine* const engine = get == nullptr ? nullptr : get();
  if (engine == nullptr || engine->version != kSelfnormEngineVersion) {
    throw Error("ERR_DEVICE",
                "distributed: " + module + " was built for another version; build it again: npx selfnorm build");
  }
  World world{0, 1, ""};
  std::string problem;
  bool joined = false;
  stops_ = false;
  thread_ = std::thread([this] { run(); });
  call([&] {
    const char* const said = engine->open(&world.rank, &world.size);
    if (said == nullptr) world.library = engine->library();
    const std::lock_guard lock(mutex_);
    if (said != nullptr)
      problem = said;
    else
      engine_ = engine;
    size_ = world.size;
    joined = true;
    ended_.notify_all();
  });
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return joined; });
  if (!problem.empty()) throw Error("ERR_DEVICE", "distributed: " + problem);
  return world;
}

void Communicator::exchange(std::vector<std::byte> mine, Exchanged then) {
  auto message = std::make_shared<std::unique_ptr<Message>>(std::make_unique<Message>());
  (*message)->mine = std::move(mine);
  (*message)->then = std::move(then);
  call([this, message] { messages_.push_back(std::move(*message)); });
}

void Communicator::close() {
  bool left = false;
  call([&] {
    engine_->close();
    const std::lock_guard lock(mutex_);
    engine_ = nullptr;
    left = stops_ = true;
    ended_.notify_all();
  });
  {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [&] { return left; });
  }
  thread_.join();
}

void Communicator::abort(int code) {
  if (engine_ != nullptr) {
    call([this, code] { engine_->abort(code); });
    std::this_thread::sleep_for(std::chrono::seconds(10));
  }
  _exit(code);
}

void Communicator::fail(const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (failure_.empty()) failure_ = why;
  ended_.notify_all();
}

void Communicator::run() {
  int rounds = 0;
  while (true) {
    std::deque<std::function<void()>> calls;
    {
      std::unique_lock lock(mutex_);
      if (requests_.empty() && messages_.empty()) given_.wait(lock, [&] { return stops_ || !calls_.empty(); });
      if (stops_) return;
      calls.swap(calls_);
    }
    for (const auto& job : calls) job();
    const bool moved = look_after() || !calls.empty();
    rounds = moved ? 0 : rounds + 1;
    rest(rounds);
  }
}

bool Communicator::look_after() {
  const size_t before = requests_.size();
  std::erase_if(requests_, [this](void* request) {
    const int state = engine_->done(request);
    if (state < 0) fail("distributed: a collective failed");
    return state != 0;
  });
  if (requests_.size() != before) {
    const std::lock_guard lock(mutex_);
    done_ += before - requests_.size();
    ended_.notify_all();
  }
  bool moved = requests_.size() != before;
  // One message after the other: their parts would not be in the same order on every rank.
  while (!messages_.empty() && advance(*messages_.front())) {
    messages_.pop_front();
    moved = true;
  }
  return moved;
}

bool Communicator::advance(Message& message) {
  const auto end = [&](const char* why) {
    std::vector<std::vector<std::byte>> parts;
    for (size_t i = 0; *why == 0 && i < message.sizes.size(); ++i) {
      const std::byte* const from = message.all.data() + i * message.widest;
      parts.emplace_back(from, from + message.sizes[i]);
    }
    message.then(std::move(parts), why);
    return true;
  };
  const auto gather = [&](const void* mine, size_t bytes, void* all) {
    message.request = engine_->gather(kSelfnormHosts, mine, bytes, all);
    return message.request != nullptr;
  };
  if (message.sizes.empty()) {
    message.size = message.mine.size();
    message.sizes.resize(size_t(size_));
    if (!gather(&message.size, sizeof message.size, message.sizes.data())) return end("a message could not be sent");
  }
  const int state = engine_->done(message.request);
  if (state < 0) return end("a message failed");
  if (state == 0) return false;
  if (message.widest > 0) return end("");
  message.widest = *std::max_element(message.sizes.begin(), message.sizes.end());
  if (message.widest == 0) return end("");
  if (message.widest > kSelfnormMostBytes) return end("a message is larger than 1 GiB");
  message.mine.resize(message.widest);
  message.all.resize(message.widest * size_t(size_));
  if (!gather(message.mine.data(), message.widest, message.all.data())) return end("a message could not be sent");
  return false;
}

}  // namespace selfnorm
