# What `cmake --install` puts where, and the Debian package made of it. All programs go into one folder: the app looks for the
# broker and the agent beside itself.
include(GNUInstallDirs)
foreach(program vivavoce vivavoce-cli vivavoce-broker vivavoce-agent)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endforeach()
install(FILES LICENSE README.md CHANGELOG.md packaging/broker/alerts.yml packaging/broker/haproxy.cfg DESTINATION "${CMAKE_INSTALL_DOCDIR}")

if(UNIX AND NOT APPLE)
  install(FILES LICENSE RENAME copyright DESTINATION "${CMAKE_INSTALL_DOCDIR}")
  install(FILES packaging/linux/org.vivavoce.Vivavoce.desktop DESTINATION "${CMAKE_INSTALL_DATADIR}/applications")
  install(FILES packaging/linux/org.vivavoce.Vivavoce.metainfo.xml DESTINATION "${CMAKE_INSTALL_DATADIR}/metainfo")
  foreach(size 16 24 32 48 128 256 512)
    install(FILES resources/app-icon/vivavoce-${size}.png RENAME vivavoce.png
      DESTINATION "${CMAKE_INSTALL_DATADIR}/icons/hicolor/${size}x${size}/apps")
  endforeach()
  install(FILES packaging/broker/vivavoce-broker.service packaging/broker/vivavoce-broker@.service DESTINATION lib/systemd/system)
  install(FILES packaging/broker/vivavoce-broker.sysusers RENAME vivavoce-broker.conf DESTINATION lib/sysusers.d)
  install(FILES resources/app-icon/vivavoce.svg DESTINATION "${CMAKE_INSTALL_DATADIR}/icons/hicolor/scalable/apps")
endif()

# For other programs: find_package(Vivavoce) gives Vivavoce::Core (docs/embedding.md). Not in the package of those who only talk:
# `cmake --install … --component development`.
set(development COMPONENT development EXCLUDE_FROM_ALL)
set(package "${CMAKE_INSTALL_LIBDIR}/cmake/Vivavoce")
set_target_properties(vv_core PROPERTIES EXPORT_NAME Core
  INTERFACE_INCLUDE_DIRECTORIES "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>;$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/vivavoce>"
  INTERFACE_COMPILE_FEATURES "$<INSTALL_INTERFACE:cxx_std_20>")
# A static library would have others link our warnings, and look for headers that only our sources need.
get_target_property(links vv_core INTERFACE_LINK_LIBRARIES)
list(REMOVE_ITEM links "$<LINK_ONLY:vv_warnings>" "$<LINK_ONLY:VV::Valijson>")
set_target_properties(vv_core PROPERTIES INTERFACE_LINK_LIBRARIES "${links}")
install(TARGETS vv_core EXPORT VivavoceTargets
  ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}" ${development}
  LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}" ${development}
  RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" ${development})
install(DIRECTORY core/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/vivavoce/core" ${development}
  FILES_MATCHING PATTERN "*.h" PATTERN internal EXCLUDE)
install(EXPORT VivavoceTargets NAMESPACE Vivavoce:: DESTINATION "${package}" ${development})
include(CMakePackageConfigHelpers)
configure_package_config_file(cmake/VivavoceConfig.cmake.in "${CMAKE_BINARY_DIR}/VivavoceConfig.cmake" INSTALL_DESTINATION "${package}")
write_basic_package_version_file("${CMAKE_BINARY_DIR}/VivavoceConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/VivavoceConfig.cmake" "${CMAKE_BINARY_DIR}/VivavoceConfigVersion.cmake" DESTINATION "${package}" ${development})

set(CPACK_PACKAGE_NAME vivavoce)
set(CPACK_PACKAGE_VENDOR "The Vivavoce authors")
set(CPACK_PACKAGE_CONTACT "The Vivavoce authors <packages@vivavoce.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Desktop voice client for realtime AI agents")
set(CPACK_PACKAGE_DIRECTORY "${CMAKE_BINARY_DIR}/package")
set(CPACK_STRIP_FILES ON)
set(CPACK_GENERATOR DEB)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION sound)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION "You speak, the agent answers aloud, either may interrupt the other. A token broker keeps the API keys; the client holds
short-lived tokens in memory only. With an offline agent, to try it without an account and without a network.")
# Libraries are found by looking at the programs; this is what no program links: models, QML modules, plugins loaded by name.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
file(STRINGS packaging/linux/debian-run.txt runtime REGEX "^[a-z]")
list(JOIN runtime ", " CPACK_DEBIAN_PACKAGE_DEPENDS)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "libasound2-plugins, qt6-wayland")
include(CPack)
