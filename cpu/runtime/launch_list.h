// Launches kept to be run again and again: what a Program is on the CPU.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

namespace selfnorm {

class LaunchList {
 public:
  template <class Work>
  void add(const Work& work) {
    static_assert(std::is_trivially_copyable_v<Work>, "work refers to memory by address and owns none");
    static_assert(alignof(Work) <= __STDCPP_DEFAULT_NEW_ALIGNMENT__);
    auto bytes = std::make_unique<std::byte[]>(sizeof(Work));
    std::memcpy(bytes.get(), &work, sizeof(Work));
    launches_.push_back({[](void* kept) { (*std::launder(reinterpret_cast<const Work*>(kept)))(); }, std::move(bytes)});
  }
  size_t size() const { return launches_.size(); }
  void run(size_t first, size_t end) const {
    for (size_t i = first; i < end; ++i) launches_[i].run(launches_[i].work.get());
  }

 private:
  struct Launch {
    void (*run)(void*);
    std::unique_ptr<std::byte[]> work;
  };
  std::vector<Launch> launches_;
};

// Where this thread's launches go instead of running; null but while a Program is made.
inline thread_local LaunchList* launches_under_capture = nullptr;

}  // namespace selfnorm
