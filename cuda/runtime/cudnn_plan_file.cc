#include "cudnn_plan_file.h"

#include <atomic>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <system_error>

namespace selfnorm::cudnn {
namespace {

namespace fs = std::filesystem;

// A change of the file's form is a change of this line: older files are foreign.
constexpr const char* kTitle = "selfnorm plan 1";
// A plan is some hundred kilobytes; a file beyond this is not ours, and is not read.
constexpr std::streamoff kLargest = std::streamoff(64) << 20;

uint64_t checksum(const std::string& bytes, uint64_t seed = 14695981039346656037u) {
  for (const char byte : bytes) seed = (seed ^ uint8_t(byte)) * 1099511628211u;
  return seed;
}

std::string hexadecimal(uint64_t number) {
  char text[20];
  std::snprintf(text, sizeof(text), "%016" PRIx64, number);
  return text;
}

// Sizes and checksum, so that what is missing, added or changed anywhere shows.
std::string header(const std::string& key, const std::string& plan) {
  return std::string(kTitle) + ' ' + std::to_string(key.size()) + ' ' + std::to_string(plan.size()) + ' ' +
         hexadecimal(checksum(plan, checksum(key))) + '\n';
}

// A name that no other writer of this or another process has.
std::string temporary_suffix() {
  static std::atomic<uint64_t> count{0};
  static const uint64_t process = [] {
    std::random_device device;
    return uint64_t(device()) << 32 | device();
  }();
  return "." + hexadecimal(process) + "-" + std::to_string(count++) + ".tmp";
}

}  // namespace

fs::path PlanFiles::file_of(const std::string& key) const {
  // Two hashes: the key itself is in the file and compared, but two keys of one name would push each other out.
  return folder_ / (hexadecimal(checksum(key)) + hexadecimal(checksum(key, 0x9e3779b97f4a7c15u)) + ".plan");
}

std::optional<std::string> PlanFiles::read(const std::string& key) const try {
  if (folder_.empty()) return std::nullopt;
  // Size and bytes of one open file: its name may go to another at any moment.
  std::ifstream stream(file_of(key), std::ios::binary | std::ios::ate);
  const std::streamoff size = stream ? std::streamoff(stream.tellg()) : -1;
  if (size < 0 || size > kLargest) return std::nullopt;
  std::string bytes(size_t(size), '\0');
  if (!stream.seekg(0).read(bytes.data(), size)) return std::nullopt;
  const size_t line = bytes.find('\n');
  if (line == std::string::npos || bytes.size() - line - 1 < key.size()) return std::nullopt;
  if (bytes.compare(line + 1, key.size(), key) != 0) return std::nullopt;
  std::string plan = bytes.substr(line + 1 + key.size());
  if (bytes.compare(0, line + 1, header(key, plan)) != 0) return std::nullopt;
  return plan;
} catch (const std::exception&) {
  return std::nullopt;
}

bool PlanFiles::write(const std::string& key, const std::string& plan) const noexcept try {
  if (folder_.empty()) return false;
  std::error_code problem;
  fs::create_directories(folder_, problem);
  const fs::path file = file_of(key), temporary = file.string() + temporary_suffix();
  {
    std::ofstream stream(temporary, std::ios::binary);
    stream << header(key, plan) << key << plan;
    stream.close();
    if (!stream) {
      fs::remove(temporary, problem);
      return false;
    }
  }
  fs::rename(temporary, file, problem);
  if (!problem) return true;
  std::error_code ignored;
  fs::remove(temporary, ignored);
  return false;
} catch (const std::exception&) {
  return false;
}

fs::path PlanFiles::default_folder() {
  const auto variable = [](const char* name) {
    const char* const value = std::getenv(name);
    return fs::path(value == nullptr ? "" : value);
  };
  if (const fs::path own = variable("SELFNORM_CACHE"); !own.empty()) return own / "plans";
  // Relative paths are to be ignored, says the XDG specification.
  if (const fs::path cache = variable("XDG_CACHE_HOME"); cache.is_absolute()) return cache / "selfnorm" / "plans";
  if (const fs::path home = variable("HOME"); home.is_absolute()) return home / ".cache" / "selfnorm" / "plans";
  return {};
}

}  // namespace selfnorm::cudnn
