// Compiled plans on disk, one file each. Plain C++: the key says all that a plan depends on, the plan is bytes.
// Whatever is wrong with a file or its folder, the answer is that there is no plan: it is compiled and written again.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace selfnorm::cudnn {

class PlanFiles {
 public:
  // An empty folder: nothing is kept.
  explicit PlanFiles(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // The plan that was written under this key, whole and unchanged.
  std::optional<std::string> read(const std::string& key) const;
  // Never seen half-written by a reader, whatever other threads and processes write at the same time. False: not kept.
  bool write(const std::string& key, const std::string& plan) const noexcept;
  std::filesystem::path file_of(const std::string& key) const;

  // The folder `plans` of SELFNORM_CACHE, or of selfnorm in the user's cache folder; empty where there is none.
  static std::filesystem::path default_folder();

 private:
  std::filesystem::path folder_;
};

}  // namespace selfnorm::cudnn
