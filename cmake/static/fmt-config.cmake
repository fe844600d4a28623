# find_package(fmt) in a release: the target is made by StaticLinks.cmake.
