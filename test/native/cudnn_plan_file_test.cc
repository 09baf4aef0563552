// Plans on disk: whatever happens to a file or its folder, a reader gets what was written under its key, or nothing.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "../../cuda/runtime/cudnn_plan_file.h"

namespace selfnorm::cudnn {
namespace {

namespace fs = std::filesystem;

class PlanFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::random_device device;
    folder_ =
        fs::temp_directory_path() / ("selfnorm-plan-files-" + std::to_string(device()) + std::to_string(device()));
  }
  void TearDown() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  PlanFiles files() const { return PlanFiles(folder_ / "plans"); }
  static std::string bytes_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
  }
  static void put(const fs::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
  }

  fs::path folder_;
  const std::string key_ = "cudnn 92400\nNVIDIA H200\nt0 memory bfloat16 [1,2,3]\n";
  // As JSON with a terminating zero and with bytes that are no text.
  const std::string plan_ = std::string("{\"engine\": 4, \"payload\": \"\n\r\xff\x01\"}") + '\0';
};

TEST_F(PlanFilesTest, GivesBackWhatWasWritten) {
  EXPECT_EQ(files().read(key_), std::nullopt);
  EXPECT_TRUE(files().write(key_, plan_));
  EXPECT_EQ(files().read(key_), plan_);
  EXPECT_EQ(files().read(key_ + " "), std::nullopt);
  EXPECT_TRUE(files().write(key_, "another"));
  EXPECT_EQ(files().read(key_), "another");
  EXPECT_TRUE(files().write(key_, ""));
  EXPECT_EQ(files().read(key_), "");
  EXPECT_TRUE(files().write("", plan_));
  EXPECT_EQ(files().read(""), plan_);
}

TEST_F(PlanFilesTest, LeavesNothingElseInTheFolder) {
  files().write(key_, plan_);
  files().write(key_, plan_);
  std::vector<fs::path> found(fs::directory_iterator(folder_ / "plans"), {});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0], files().file_of(key_));
}

TEST_F(PlanFilesTest, IgnoresAFileCutShortAnywhereAndReplacesIt) {
  ASSERT_TRUE(files().write(key_, plan_));
  const std::string whole = bytes_of(files().file_of(key_));
  for (size_t size = 0; size < whole.size(); ++size) {
    put(files().file_of(key_), whole.substr(0, size));
    EXPECT_EQ(files().read(key_), std::nullopt) << size;
  }
  put(files().file_of(key_), whole + "x");
  EXPECT_EQ(files().read(key_), std::nullopt);
  EXPECT_TRUE(files().write(key_, plan_));
  EXPECT_EQ(files().read(key_), plan_);
}

TEST_F(PlanFilesTest, IgnoresAFileWithAnyByteChanged) {
  ASSERT_TRUE(files().write(key_, plan_));
  const std::string whole = bytes_of(files().file_of(key_));
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = char(damaged[at] ^ 0x20);
    put(files().file_of(key_), damaged);
    EXPECT_EQ(files().read(key_), std::nullopt) << at;
  }
}

TEST_F(PlanFilesTest, IgnoresFilesOfAnotherKeyFormatOrKind) {
  ASSERT_TRUE(files().write(key_, plan_));
  const std::string whole = bytes_of(files().file_of(key_));
  // Another key's file under this key's name: as if two names were one.
  ASSERT_TRUE(files().write("other key of another length", plan_));
  fs::copy_file(files().file_of("other key of another length"), files().file_of(key_),
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(files().read(key_), std::nullopt);
  const size_t version = whole.find(" 1 ");
  ASSERT_NE(version, std::string::npos);
  put(files().file_of(key_), whole.substr(0, version) + " 2 " + whole.substr(version + 3));
  EXPECT_EQ(files().read(key_), std::nullopt);
  put(files().file_of(key_), std::string(100000, '\n'));
  EXPECT_EQ(files().read(key_), std::nullopt);
  fs::remove(files().file_of(key_));
  fs::create_directory(files().file_of(key_));
  EXPECT_EQ(files().read(key_), std::nullopt);
  EXPECT_FALSE(files().write(key_, plan_));
  std::vector<fs::path> found(fs::directory_iterator(folder_ / "plans"), {});
  EXPECT_EQ(found.size(), 2u) << "a write that failed left its temporary file";
}

TEST_F(PlanFilesTest, TakesAFolderThatCannotBeWrittenForNoFolder) {
  fs::create_directories(folder_);
  // A file where the folder should be: nobody, root included, can make a folder there.
  put(folder_ / "plans", "a file");
  EXPECT_FALSE(files().write(key_, plan_));
  EXPECT_EQ(files().read(key_), std::nullopt);
  fs::remove(folder_ / "plans");
  ASSERT_TRUE(files().write(key_, plan_));
  fs::permissions(folder_ / "plans", fs::perms::owner_read | fs::perms::owner_exec);
  // Root writes where it likes; whoever it is, what was there stays readable and nothing is thrown.
  files().write(key_ + "2", plan_);
  EXPECT_EQ(files().read(key_), plan_);
  fs::permissions(folder_ / "plans", fs::perms::owner_all);
  EXPECT_FALSE(PlanFiles({}).write(key_, plan_));
  EXPECT_EQ(PlanFiles({}).read(key_), std::nullopt);
}

TEST_F(PlanFilesTest, ShowsWholePlansAloneToReadersBesideManyWriters) {
  constexpr int kWriters = 4, kRounds = 40;
  const auto plan_of = [](int writer) { return std::string(size_t(20000 + 7000 * writer), char('a' + writer)); };
  ASSERT_TRUE(files().write(key_, plan_of(0)));
  std::atomic<int> torn{0}, missing{0}, running{kWriters};
  std::vector<std::thread> threads;
  for (int writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([&, writer] {
      for (int round = 0; round < kRounds; ++round) files().write(key_, plan_of(writer));
      --running;
    });
  }
  threads.emplace_back([&] {
    while (running > 0) {
      const auto plan = files().read(key_);
      if (!plan)
        ++missing;
      else if (*plan != plan_of(plan->empty() ? -1 : (*plan)[0] - 'a'))
        ++torn;
    }
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(missing, 0);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ / "plans"), {}), 1);
  const auto last = files().read(key_);
  ASSERT_TRUE(last);
  EXPECT_EQ(*last, plan_of((*last)[0] - 'a'));
}

TEST_F(PlanFilesTest, FindsItsFolder) {
  const auto with = [](const char* own, const char* cache, const char* home) {
    const std::pair<const char*, const char*> variables[] = {
        {"SELFNORM_CACHE", own}, {"XDG_CACHE_HOME", cache}, {"HOME", home}};
    std::vector<std::pair<const char*, std::string>> before;
    for (const auto& [name, value] : variables) {
      const char* const old = std::getenv(name);
      before.emplace_back(name, old == nullptr ? "" : old);
      setenv(name, value, 1);
    }
    const fs::path folder = PlanFiles::default_folder();
    for (const auto& [name, value] : before) setenv(name, value.c_str(), 1);
    return folder;
  };
  EXPECT_EQ(with("/own", "/cache", "/home/me"), "/own/plans");
  EXPECT_EQ(with("own", "/cache", "/home/me"), "own/plans");
  EXPECT_EQ(with("", "/cache", "/home/me"), "/cache/selfnorm/plans");
  EXPECT_EQ(with("", "not/absolute", "/home/me"), "/home/me/.cache/selfnorm/plans");
  EXPECT_EQ(with("", "", ""), "");
}

}  // namespace
}  // namespace selfnorm::cudnn
