# What `cmake --install` puts where, and the Debian package made of it. All programs go into one folder: the app looks for the
# broker and the agent beside itself.
include(GNUInstallDirs)
foreach(program vivavoce vivavoce-cli vivavoce-broker vivavoce-agent)
  if(TARGET ${program})
    install(TARGETS ${program} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endforeach()
install(FILES LICENSE README.md CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DOCDIR}")

if(UNIX AND NOT APPLE)
  install(FILES LICENSE RENAME copyright DESTINATION "${CMAKE_INSTALL_DOCDIR}")
  install(FILES packaging/linux/org.vivavoce.Vivavoce.desktop DESTINATION "${CMAKE_INSTALL_DATADIR}/applications")
  install(FILES packaging/linux/org.vivavoce.Vivavoce.metainfo.xml DESTINATION "${CMAKE_INSTALL_DATADIR}/metainfo")
  foreach(size 16 24 32 48 128 256 512)
    install(FILES resources/app-icon/vivavoce-${size}.png RENAME vivavoce.png
      DESTINATION "${CMAKE_INSTALL_DATADIR}/icons/hicolor/${size}x${size}/apps")
  endforeach()
  install(FILES resources/app-icon/vivavoce.svg DESTINATION "${CMAKE_INSTALL_DATADIR}/icons/hicolor/scalable/apps")
endif()

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
