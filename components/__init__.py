from components.sdk_services import install

install()  # before any module beneath imports the SDK, which looks for its services when it is imported
