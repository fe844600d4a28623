//===- tuner/CompilePool.cpp - a queue and its threads --------------------===//
//
// Part of Pantile, under the Apache License v2.0 with LLVM Exceptions.
//
//===----------------------------------------------------------------------===//

#include "tuner/CompilePool.h"

namespace pantile::tuner {

CompilePool::CompilePool(Compiler &compiler, unsigned workers, std::function<Clock::time_point()> deadline)
    : compiler(compiler), deadline(std::move(deadline)) {
  for (unsigned i = 0; i < workers; ++i) threads.emplace_back([this] { work(); });
}

CompilePool::~CompilePool() {
  {
    std::lock_guard lock(mutex);
    stopping = true;
    queue.clear();
  }
  queued.notify_all();
  compiler.interrupt();
  for (std::thread &thread : threads) thread.join();
}

std::shared_ptr<CompilePool::Job> CompilePool::submit(Configuration configuration) {
  auto job = std::make_shared<Job>();
  job->configuration = std::move(configuration);
  {
    std::lock_guard lock(mutex);
    queue.push_back(job);
  }
  queued.notify_one();
  return job;
}

bool CompilePool::ready(const Job &job) {
  std::lock_guard lock(mutex);
  return job.done;
}

void CompilePool::wait(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex);
  finished.wait_for(lock, limit, [this] { return news > 0; });
  news = 0;
}

CompilePool::Pause::Pause(CompilePool *pool) : pool(pool) {
  if (!pool) return;
  std::unique_lock lock(pool->mutex);
  ++pool->pauses;
  pool->idle.wait(lock, [&] { return pool->running == 0; });
}

CompilePool::Pause::~Pause() {
  if (!pool) return;
  {
    std::lock_guard lock(pool->mutex);
    --pool->pauses;
  }
  pool->queued.notify_all();
}

void CompilePool::work() {
  for (;;) {
    std::shared_ptr<Job> job;
    {
      std::unique_lock lock(mutex);
      queued.wait(lock, [this] { return stopping || (!queue.empty() && !pauses); });
      if (stopping) return;
      job = std::move(queue.front());
      queue.pop_front();
      ++running;
    }
    Expected<CompiledCandidate> result = compiler.compile(job->configuration, deadline());
    {
      std::lock_guard lock(mutex);
      job->result.emplace(std::move(result));
      job->done = true;
      ++news;
      --running;
    }
    finished.notify_one();
    idle.notify_all();
  }
}

} // namespace pantile::tuner
