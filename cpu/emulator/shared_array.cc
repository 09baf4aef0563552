// The list of all shared arrays a program has used. It only grows: an array is a function-local static and lives
// until exit.
#include "emulator/shared_array.h"

#include <cstring>
#include <mutex>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes) ((void)(address), (void)(bytes))
#endif

namespace selfnorm::emulator::engine {

namespace {

struct Registry {
  struct Array {
    void* data;
    std::size_t bytes;
  };
  std::mutex mutex;
  std::vector<Array> arrays;
};

Registry& registry() {
  static Registry only;
  return only;
}

}  // namespace

void fill_with_poison(void* memory, std::size_t bytes) {
  std::uint64_t pattern = 0x0001'0001'0001'0001u * kPoison;
  auto* at = static_cast<std::byte*>(memory);
  for (; bytes >= sizeof pattern; at += sizeof pattern, bytes -= sizeof pattern)
    std::memcpy(at, &pattern, sizeof pattern);
  if (bytes > 0) std::memcpy(at, &pattern, bytes);
}

void register_shared_array(void* data, std::size_t bytes, void* before, void* after, std::size_t redzone) {
  fill_with_poison(data, bytes);
  ASAN_POISON_MEMORY_REGION(before, redzone);
  ASAN_POISON_MEMORY_REGION(after, redzone);
  const std::lock_guard lock(registry().mutex);
  registry().arrays.push_back({data, bytes});
}

void poison_shared_arrays() {
  const std::lock_guard lock(registry().mutex);
  for (const Registry::Array& array : registry().arrays) fill_with_poison(array.data, array.bytes);
}

}  // namespace selfnorm::emulator::engine
